"""What the column of a pruned token takes, in recognisers with a CTC head: word error rates of each way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Column, Row, Table
from audioprune.results import recognitions
from audioprune.tables._rows import KEEP_RATE, cell_of

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Arm
    from audioprune.results.study import Results

TITLE = "What the columns of pruned tokens take"
CAPTION = (
    "Word error rates of recognisers with a CTC head, whose output has a column for every token of the input, by what "
    "a pruned token's column takes: its last state (carried), the output of the nearest kept token, the earlier of two "
    "(nearest), or the blank for certain (blank). Under greedy decoding nearest is the same as leaving the columns "
    "out; a blank splits repeated units. Merged tokens always take what they were merged into."
)
NOTES = (
    "Intervals: 95 %, percentiles of a bootstrap over speakers (of recordings within each, where a dataset's speakers "
    "are all there are). The way that enters verdicts: carried for adapted models, nearest off the shelf.",
)
WAYS = ("carried", "nearest", "blank")


def needs(study: Cells) -> list:
    """Transcripts by pruned recognisers that put something back."""
    return [cell for cell in study.cells("transcribe") if cell.settings.restore]


def build(results: Results) -> Table:
    groups: dict[tuple, list[Arm]] = {}
    for arm in recognitions.arms(results):
        if arm.restore and not arm.about_padding:
            groups.setdefault((arm.place, arm.policy, arm.keep_rate, arm.budget), []).append(arm)
    return Table(_columns(), tuple(row for own in groups.values() for row in _rows(results, own)), NOTES)


def _rows(results: Results, own: Sequence[Arm]) -> Iterator[Row]:
    first = own[0]
    usual = recognitions.USUAL[first.place.trained]
    by_way = {arm.restore: arm for arm in own}
    cells: dict[str, Any] = {
        "recogniser": first.place.recogniser,
        "dataset": first.place.dataset,
        "trained": first.place.trained,
        "policy": first.policy,
        "keep_rate": first.keep_rate,
        "budget": first.budget,
    }
    for way in (one for one in WAYS if one in by_way):
        cells[way] = cell_of(recognitions.wer(results, by_way[way]))
        if way != usual and usual in by_way:
            cells[f"{way}_minus_usual"] = cell_of(recognitions.difference(results, by_way[way], by_way[usual]))
    yield Row(cells, str(first.place))


def _columns() -> tuple[Column, ...]:
    ways = [
        column
        for way in WAYS
        for column in (
            Column(way, way.capitalize(), "WER, %"),
            Column(way, "95 % interval", part="interval"),
            Column(f"{way}_minus_usual", "Minus usual", "points", signed=True),
            Column(f"{way}_minus_usual", "95 % interval", part="interval", signed=True),
        )
    ]
    head = (
        Column("policy", "Policy", align="left"),
        KEEP_RATE,
        Column("budget", "Budget", align="left"),
    )
    return (*head, *ways)
