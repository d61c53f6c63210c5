"""Tokens ranked by a statistic of their patch against tokens ranked by attention (released code: custom_rank)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.headline import Question
from audioprune.exhibits.table import Column, Row, Table
from audioprune.results import contrasts, costs
from audioprune.results.estimate import Absent
from audioprune.results.evaluations import rows_of
from audioprune.tables import _ablation
from audioprune.tables._ablation import measured
from audioprune.tables._rows import KEEP_RATE, UNTESTED, VALUE, adjusted, change, cost_column

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Asked, Cells
    from audioprune.results.study import Results
    from audioprune.settings.model import Pruning

TITLE = "Ranking by intensity or variation against attention"
CAPTION = (
    "Models trained and evaluated with tokens ranked by attention (topk), by the mean (intensity) or standard "
    "deviation (variation) of their patch, or kept at random or on a uniform grid: always as many tokens at the same "
    "blocks. Δ is the row minus topk by attention."
)
HEADLINE = Question(
    question="Is ranking by intensity worse than by attention at keep-rate {rate}?",
    above="Intensity minus attention, in points",
    turned=True,
    difference="attention_minus_this",
    of={"method": "intensity"},
)
STATISTICS = ("intensity", "variation")
OTHERS = ("topk", "random", "uniform")
VARIANTS = (
    "Ranking by a statistic keeps the prefix tokens, as topk does, and conclusions rest on this variant; as released, "
    "it repeats the released code, which keeps the tokens one (AudioMAE) or two (AST) places beside the ranked ones "
    "and loses the class and distillation tokens, from which AST classifies."
)

CHANCE = (
    "p: two-sided paired permutation test over whole recordings, against attention; adjusted by Holm over all "
    "testable rows of the table."
)


def needs(study: Cells) -> list:
    """Statistics, attention by the backbone's own score and the controls, where a statistic is trained with."""
    found = [c for c in _ablation.trained(study) if _shown(c.settings.pruning)]
    at = {_at(c) for c in found if c.settings.pruning.method in STATISTICS}
    return [c for c in found if _at(c) in at]


def _shown(pruning: Pruning) -> bool:
    return pruning.method in STATISTICS + OTHERS and not (pruning.method == "topk" and pruning.options)


def _at(cell: Asked) -> tuple:
    """Backbone, dataset and recipe, keep-rate and blocks: what has equal numbers of tokens."""
    pruning = cell.settings.pruning
    return _ablation.place(cell), pruning.keep_rate, pruning.blocks


def build(results: Results) -> Table:
    frame = rows_of(results, needs(results))
    first = [results.cell(own[0]) for own in frame["cells"]]
    frame = frame.assign(attention=[cell.settings.pruning.method == "topk" for cell in first])
    rows = adjusted(row for heading, group in _ablation.groups(frame) for row in _rows(results, heading, group))
    _adjust(rows)
    released = [VARIANTS] if any("as_released" in str(row.cells["method"]) for row in rows) else []
    notes = (*released, CHANCE, *_untested(rows), *_ablation.notes(frame.itertuples()), "MACs: closed form.")
    return Table(_columns(rows), tuple(rows), notes)


def _rows(results: Results, heading: str, group: pd.DataFrame) -> Iterator[Row]:
    """At falling keep-rates attention first, then the others in the order of the study."""
    first = group.sort_values(["keep_rate", "attention"], ascending=False, kind="stable")
    for row in first.itertuples():
        attention = next(r for r in first[first["keep_rate"] == row.keep_rate].itertuples())
        cells = {"backbone": row.backbone, "dataset": row.dataset, "method": row.method, "keep_rate": row.keep_rate}
        cells |= {"gmacs": costs.gmacs(results, results.cell(row.cells[0])), "accuracy": _ablation.accuracy(row)}
        if attention.attention:
            cells["attention_minus_this"] = _ablation.difference(results, attention, row)
            cells |= _chance(results, attention, row) if row.cells != attention.cells else {}
        yield Row(cells, heading)


def _chance(results: Results, attention: Any, row: Any) -> dict[str, Any]:
    """The p-value, or that there can be none and why."""
    p = contrasts.chance(results, attention, row)
    return {"p": UNTESTED, "p_why": p.why} if isinstance(p, Absent) else {"p": p}


def _adjust(rows: list[Row]) -> None:
    """Adds `p_holm`: the table's p-values, adjusted together; what cannot be tested is not among them."""
    from audioprune.statistics.holm import holm

    tested = [row for row in rows if isinstance(row.cells.get("p"), float)]
    p: list[Any] = [row.cells["p"] for row in tested]
    for row, own in zip(tested, holm(p), strict=True):
        row.cells["p_holm"] = float(own)


def _untested(rows: Sequence[Row]) -> tuple[str, ...]:
    """Why some have no p-value."""
    found = dict.fromkeys(str(row.cells["p_why"]) for row in rows if "p_why" in row.cells)
    return tuple(f"{UNTESTED.capitalize()}: {why}." for why in found)


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    return (
        Column("method", "Ranked by", align="left"),
        KEEP_RATE,
        cost_column(rows),
        *measured("accuracy", VALUE),
        *change("attention_minus_this", "Δ to attention"),
        Column("p", "p", p=True),
        Column("p_holm", "p (Holm)", p=True),
    )
