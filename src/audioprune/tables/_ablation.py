"""What tables of ablations share: pooled evaluations of their cells, and differences of two of them.

A module's `needs` says which cells it shows; `build` meets those of the whole study in a report, so it asks
`evaluations.rows_of` for its own. Rows are those of `evaluations.tidy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from audioprune.cells.query import as_trained
from audioprune.exhibits.table import Cell, Column
from audioprune.results import contrasts
from audioprune.results.estimate import INTERVAL
from audioprune.results.evaluations import covered
from audioprune.tables._rows import CHANGED, cell_of, changed, heading, quantity

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Asked, Cells
    from audioprune.results.study import Results

SHARED_RUNS = "Differences are paired clip by clip, over the folds and seeds that both sides have."


def evaluations(study: Cells) -> list:
    """Unperturbed evaluations of the last epoch's weights."""
    return study.cells("evaluate", selection="last", perturbation="none")


def trained(study: Cells) -> list:
    """Those that prune as their model was trained to."""
    return [c for c in evaluations(study) if as_trained(c)]


def of_unpruned(study: Cells) -> list:
    """Those of models that were trained unpruned."""
    return [c for c in evaluations(study) if c.inputs["finetune"].settings.pruning.method == "none"]


def place(cell: Asked) -> tuple:
    """Backbone, dataset and recipe of an evaluation's model: what one part of a table has in common."""
    tuned = cell.inputs["finetune"].settings
    return tuned.model.backbone, tuned.dataset, tuned.model, tuned.recipe, tuned.augment, tuned.split, tuned.initial


def groups(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """(heading, rows) of every backbone, dataset and variant."""
    for _, own in frame.groupby(["backbone", "dataset", "variant"], sort=False):
        yield heading(own), own


def accuracy(row: Any, **published: Any) -> Cell | None:
    """A row's value with its interval, or why it was not run; None where it was not planned."""
    return None if row is None else quantity(row, **published)


def difference(results: Results, first: Any, second: Any) -> Cell | None:
    """`first` minus `second` in points, over the runs that both have; None where either is not planned."""
    return cell_of(contrasts.difference(results, first, second))


def notes(rows: Iterable) -> tuple[str, ...]:
    """What is said of intervals and differences below a table of these rows of `tidy`."""
    return (f"Intervals: {INTERVAL}.", *covered(rows), SHARED_RUNS, CHANGED)


def measured(key: str, header: str, unit: str = "", *, signed: bool = False) -> tuple[Column, ...]:
    """A quantity's value and interval; of a difference, the clips that decide it."""
    value, interval = (
        Column(key, header, unit, signed=signed),
        Column(key, "95 % interval", part="interval", signed=signed),
    )
    return value, interval, changed(key)
