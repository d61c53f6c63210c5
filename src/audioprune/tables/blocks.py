"""Pruning at other blocks than the paper's 4th, 7th and 10th (3, 6 and 9 from zero), off the shelf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from audioprune.cells.query import as_trained
from audioprune.exhibits.table import Column, Row, Table
from audioprune.facts.tokens import BLOCKS
from audioprune.results import costs
from audioprune.results.evaluations import pick, rows_of
from audioprune.tables import _ablation
from audioprune.tables._ablation import measured
from audioprune.tables._rows import KEEP_RATE, adjusted, change, cost_column

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results
    from audioprune.settings.model import Pruning

TITLE = "Pruning at other blocks"
CAPTION = (
    "The unpruned model, pruned by topk at evaluation only, at different blocks (counted from zero): the earlier the "
    "blocks, the more MACs are saved. Δ is the row minus the unpruned model; last, the row minus pruning at the "
    "paper's blocks (3, 6, 9)."
)


def needs(study: Cells) -> list:
    """Unpruned models, unpruned and under topk by their own score, where some prune at other blocks."""
    found = [c for c in _ablation.of_unpruned(study) if as_trained(c) or _own(c.settings.pruning)]
    other = {_ablation.place(c) for c in found if not as_trained(c) and c.settings.pruning.blocks != BLOCKS}
    return [c for c in found if _ablation.place(c) in other]


def _own(pruning: Pruning) -> bool:
    return pruning.method == "topk" and not pruning.options


def build(results: Results) -> Table:
    frame = rows_of(results, needs(results))
    frame = frame.assign(blocks=[results.cell(own[0]).settings.pruning.blocks for own in frame["cells"]])
    rows = adjusted(row for heading, group in _ablation.groups(frame) for row in _rows(results, heading, group))
    return Table(_columns(rows), tuple(rows), (*_ablation.notes(frame.itertuples()), "MACs: closed form."))


def _rows(results: Results, heading: str, group: pd.DataFrame) -> Iterator[Row]:
    """The unpruned model, then at falling keep-rates the paper's blocks and the others from the earliest."""
    unpruned = pick(group, method="none")
    cost = costs.gmacs(results, results.cell(unpruned.cells[0]))
    order = sorted(group.itertuples(), key=lambda r: (-r.keep_rate, r.blocks != BLOCKS, r.blocks))
    for row in order:
        cells = {"backbone": row.backbone, "dataset": row.dataset, "keep_rate": row.keep_rate}
        cells["blocks"] = "none" if row.method == "none" else ", ".join(map(str, row.blocks))
        cells |= {"gmacs": costs.gmacs(results, results.cell(row.cells[0])), "accuracy": _ablation.accuracy(row)}
        if row.method != "none":
            paper = pick(group, blocks=BLOCKS, keep_rate=row.keep_rate)
            cells["mac_reduction"] = 100 * (1 - cells["gmacs"] / cost)
            cells["drop"] = _ablation.difference(results, unpruned, row)
            cells["paper_blocks_minus_this"] = _ablation.difference(results, paper, row)
        yield Row(cells, heading)


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    return (
        Column("blocks", "Pruned at blocks", align="left"),
        KEEP_RATE,
        cost_column(rows),
        Column("mac_reduction", "MACs saved", "%", 1),
        *measured("accuracy", "Off the shelf"),
        *change("drop"),
        *change("paper_blocks_minus_this", "Δ to blocks 3, 6, 9"),
    )
