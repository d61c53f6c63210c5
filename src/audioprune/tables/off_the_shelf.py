"""Pruning off the shelf: the unpruned model, pruned at evaluation, beside models trained with the pruning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from audioprune.cells.query import as_trained
from audioprune.exhibits.table import Column, Row, Table
from audioprune.facts.tokens import BLOCKS
from audioprune.labels import label_of
from audioprune.results import costs
from audioprune.results.evaluations import pick, rows_of
from audioprune.tables import _ablation
from audioprune.tables._ablation import measured
from audioprune.tables._rows import KEEP_RATE, adjusted, change, cost_column

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Asked, Cells
    from audioprune.results.study import Results

TITLE = "Pruning off the shelf"
CAPTION = (
    "The unpruned model, pruned by every method at evaluation only. Δ is the row minus the unpruned model. "
    "Where the study has one, the model trained with the same pruning stands beside it, with its gain: trained minus "
    "off the shelf."
)


def needs(study: Cells) -> list:
    """The unpruned models, pruned at the blocks of the trained ones, and all that are trained with the same pruning."""
    found = [c for c in _ablation.of_unpruned(study) if not as_trained(c)]
    tuned = [c for c in _ablation.trained(study) if c.settings.pruning.method != "none"]
    blocks = {_ablation.place(c): c.settings.pruning.blocks for c in tuned}
    found = [c for c in found if c.settings.pruning.blocks == blocks.get(_ablation.place(c), BLOCKS)]
    same = {_what(c) for c in found}
    unpruned = [c for c in _ablation.of_unpruned(study) if as_trained(c)]
    places = {_ablation.place(c) for c in found}
    return [
        *(c for c in unpruned if _ablation.place(c) in places),
        *found,
        *(c for c in tuned if _what(c) in same),
    ]


def _what(cell: Asked) -> tuple:
    """Backbone, dataset and recipe, and how it prunes."""
    return _ablation.place(cell), label_of(cell.settings.pruning)


def build(results: Results) -> Table:
    frame = rows_of(results, needs(results))
    rows = adjusted(row for heading, group in _ablation.groups(frame) for row in _rows(results, heading, group))
    return Table(_columns(rows), tuple(rows), (*_ablation.notes(frame.itertuples()), "MACs: closed form."))


def _rows(results: Results, heading: str, group: pd.DataFrame) -> Iterator[Row]:
    """The unpruned model, then at falling keep-rates every method."""
    unpruned = pick(group, method="none", trained="")
    where = {"backbone": group["backbone"].iloc[0], "dataset": group["dataset"].iloc[0]}
    if unpruned is not None:
        cost = costs.gmacs(results, results.cell(unpruned.cells[0]))
        yield Row(where | {"method": "none", "keep_rate": 1.0, "gmacs": cost, "untrained": _of(unpruned)}, heading)
    off = group[(group["method"] != "none") & (group["trained"] != "")]
    methods = list(dict.fromkeys(off["method"]))
    rates = sorted(off["keep_rate"].unique(), key=lambda rate: (rate == 1, -rate))  # 1: so many merges in every block
    for rate in rates:
        for method in methods:
            row = pick(off, method=method, keep_rate=rate)
            if row is None:
                continue
            tuned = pick(group, method=method, keep_rate=rate, trained="")
            cells = {
                "method": method,
                "keep_rate": rate if rate < 1 else None,
                "gmacs": costs.gmacs(results, results.cell(row.cells[0])),
            }
            cells |= {"untrained": _of(row), "drop": _ablation.difference(results, unpruned, row)}
            cells |= {"trained": _of(tuned), "trained_drop": _ablation.difference(results, unpruned, tuned)}
            cells["trained_minus_untrained"] = _ablation.difference(results, tuned, row)
            yield Row(where | cells, heading)


_of = _ablation.accuracy


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    return (
        Column("method", "Method", align="left"),
        KEEP_RATE,
        cost_column(rows),
        *measured("untrained", "Off the shelf"),
        *change("drop"),
        *measured("trained", "Trained with it"),
        *measured("trained_minus_untrained", "Trained − off the shelf", "points", signed=True),
    )
