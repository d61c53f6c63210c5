"""From the pooled evaluations (`results.evaluations.tidy`) to rows of tables: names, headings, baselines, cells."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Cell, Column, Row
from audioprune.results.estimate import Absent, Estimate
from audioprune.wording import METRICS

if TYPE_CHECKING:
    import pandas as pd


KEEP_RATE = Column("keep_rate", "Keep-rate", decimals=1, exact=True)
VALUE = "Accuracy or mAP"  # heading of a column; which of them, the heading of the group says


def quantity(row: Any, **published: Any) -> Cell:
    """Ours with its interval beside the published value; why, where no run of it is there; a note if some are not."""
    if not row.runs:
        return Cell(why=row.why, **published)
    note = f"{row.runs} of {row.runs + row.missing} runs; missing: {row.why}" if row.missing else ""
    return Cell(row.value, row.low, row.high, note=note, rests_on=tuple(row.cells), **published)


def cell_of(found: Estimate | Absent | None, scale: float = 1.0, **published: Any) -> Cell | None:
    """An estimate as a table shows it, or why it is not there; None where it was not planned."""
    if found is None:
        return None
    if isinstance(found, Absent):
        return Cell(why=found.why, **published)
    low, high = (None if math.isnan(end) else scale * end for end in (found.low, found.high))
    shown = Cell(scale * found.value, low, high, note=found.left_out, rests_on=found.cells, **published)
    first, second = found.changed or (None, None)
    p = found.chance() if found.is_contrast else None
    return replace(shown, only_first=first, only_second=second, p=p)


def adjusted(rows: Iterable[Row]) -> list[Row]:
    """The rows with the p-values of all their differences adjusted by Holm, over the whole table."""
    from audioprune.statistics.holm import family

    rows = list(rows)
    at = [(row, key, cell) for row in rows for key, cell in row.cells.items() if isinstance(cell, Cell)]
    p = family([cell.p for _, _, cell in at])
    for (row, key, cell), own in zip(at, p, strict=True):
        row.cells[key] = replace(cell, p_holm=own)
    return rows


def changed(key: str) -> Column:
    """The clips that two models differ in, beside their difference."""
    return Column(key, "b/c", part="changed")


def change(key: str, header: str = "Δ") -> tuple[Column, ...]:
    """A loss as a table shows it: with the other sign, as the change to what it is compared with, always signed."""
    value = Column(key, header, "points", scale=-1, signed=True)
    return value, replace(value, header="95 % interval", part="interval"), changed(key)


UNTESTED = "not testable"  # in the place of a p-value
CHANGED = (
    "b/c: numbers of clips, over all runs, that only the first and only the second of the two compared models gets "
    "right; of Δ, clips lost and gained."
)


def cost_column(rows: Iterable[Row]) -> Column:
    """The column of `gmacs`: in millions where a model has less than half a billion."""
    costs: list[Any] = [row.cells["gmacs"] for row in rows if "gmacs" in row.cells]
    small = min(costs, default=1) < 0.5
    return Column("gmacs", "MACs", "M" if small else "G", scale=1000 if small else 1)


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The unpruned model first, then methods in the order of the study, each with falling keep-rates."""
    methods = {name: i for i, name in enumerate(dict.fromkeys(["none", *frame["method"]]))}
    place = frame["method"].map(methods)
    return frame.assign(place=place).sort_values(["place", "keep_rate"], ascending=[True, False], kind="stable")


def baseline(frame: pd.DataFrame, row: Any) -> Any:
    """The unpruned row with the same variant and selection, to compare with; None if there is none."""
    found = (
        r for r in frame.itertuples() if (r.method, r.variant, r.selection) == ("none", row.variant, row.selection)
    )
    return next(found, None)


def named(row: Any) -> str:
    """The method; with how the weights were chosen, where those are not the last epoch's."""
    return row.method if row.selection == "last" else f"{row.method}, {row.selection.replace('_', ' ')}"


def extent(folds: int, of: int, seeds: int) -> list[str]:
    """What was run of a dataset's folds, and how many seeds; nothing of what is one."""
    found = [f"{folds} of {of} folds" if folds < of else f"{folds} folds"] if of > 1 else []
    return [*found, f"{seeds} seeds"] if seeds > 1 else found


def heading(frame: pd.DataFrame) -> str:
    """'ast-tiny on esc10: top-1 accuracy, %; 160 clips, 2 of 5 folds' of rows of one backbone, dataset and variant."""
    row = max(frame.itertuples(), key=lambda r: r.n)
    size = [f"{row.n} clips"] if row.n else []
    size += extent(row.folds, row.of_folds, row.seeds)
    parts = (f"{row.backbone} on {row.dataset}: {METRICS[row.metric]}", ", ".join(size), row.variant)
    return "; ".join(filter(None, parts))
