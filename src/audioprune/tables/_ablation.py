"""What tables of ablations are made of: the pooled evaluations of their cells, and differences of two of them.

A module's `needs` says which cells it shows; `build` meets those of the whole study in a report, so it asks `rows_of`
for its own. Rows are those of `evaluations.tidy`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audioprune.evaluations import INTERVAL, covered, pooled, runs, tidy
from audioprune.evaluations import difference as paired
from audioprune.queries import as_trained
from audioprune.tables._rows import heading, quantity
from audioprune.tables._table import Cell, Column

if TYPE_CHECKING:
    import pandas as pd

SHARED_RUNS = "Differences are taken over the folds and seeds that both sides have, clip by clip."


def evaluations(study) -> list:
    """Unperturbed evaluations of the last epoch's weights."""
    return study.cells("evaluate", selection="last", perturbation="none")


def trained(study) -> list:
    """Those that prune as their model was trained to."""
    return [c for c in evaluations(study) if as_trained(c)]


def of_unpruned(study) -> list:
    """Those of models that were trained unpruned."""
    return [c for c in evaluations(study) if c.inputs["finetune"].settings.pruning.method == "none"]


def place(cell) -> tuple:
    """Backbone, dataset and recipe of an evaluation's model: what one part of a table has in common."""
    tuned = cell.inputs["finetune"].settings
    return tuned.model.backbone, tuned.dataset, tuned.model, tuned.recipe, tuned.augment, tuned.split, tuned.initial


def rows_of(results, cells) -> pd.DataFrame:
    """The rows of `tidy` that these cells make up."""
    paths, frame = {c.path for c in cells}, tidy(results)
    return frame[frame["cells"].map(paths.issuperset).astype(bool)]


def groups(frame: pd.DataFrame):
    """(heading, rows) of every backbone, dataset and variant."""
    for _, own in frame.groupby(["backbone", "dataset", "variant"], sort=False):
        yield heading(own), own


def pick(frame: pd.DataFrame, **wanted):
    """The first row with all wanted values; None if there is none."""
    found = (row for row in frame.itertuples() if all(getattr(row, k) == v for k, v in wanted.items()))
    return next(found, None)


def accuracy(row, **published) -> Cell | None:
    """A row's value with its interval, or why it was not run; None where it was not planned."""
    return None if row is None else quantity(row, **published)


def difference(results, first, second) -> Cell | None:
    """`first` minus `second` in points, with the paired interval over the runs that both have.

    None where either is not planned, or both are the same evaluations; why, where one was not run.
    """
    if first is None or second is None or first.cells == second.cells:
        return None
    a, b = _same_runs(results, first, second), _same_runs(results, second, first)
    why = next((row.why for row in (a, b) if not row.runs), "")
    if not a.runs or not b.runs:
        return Cell(why=why or "the two have no fold and seed in common")
    return Cell(**paired(results, a, b))


def _same_runs(results, row, other):
    """A row reduced to the folds and seeds of another."""
    each = runs(results).set_index("cell")
    wanted = set(each.loc[list(other.cells), ["fold", "seed"]].itertuples(index=False, name=None))
    own = each.loc[list(row.cells)]
    own = own[[pair in wanted for pair in zip(own["fold"], own["seed"], strict=True)]]
    there = own[own["why"] == ""]
    counts = {"runs": len(there), "missing": len(own) - len(there)}
    return row._replace(cells=tuple(own.index), value=there["value"].mean(), **counts)


def chance(results, first, second) -> float | None:
    """Two-sided p-value of no difference of two rows, by permutation of recordings; None where they do not pair."""
    from audioprune.statistics.paired import permutation
    from audioprune.statistics.units import unit_of

    a, b = _same_runs(results, first, second), _same_runs(results, second, first)
    if not a.runs or not b.runs or a.missing or b.missing:
        return None
    unit = unit_of(results.dataset(first.dataset))
    try:
        return permutation(pooled(results, a.cells), pooled(results, b.cells), a.metric, unit=unit).p
    except ValueError:  # other clips or seeds
        return None


def notes(rows: Iterable) -> tuple[str, ...]:
    """What is said of intervals and differences below a table of these rows of `tidy`."""
    return (f"Intervals: {INTERVAL}.", *covered(rows), SHARED_RUNS)


def measured(key: str, header: str, unit: str = "", *, signed: bool = False) -> tuple[Column, Column]:
    """A quantity's value and interval."""
    return Column(key, header, unit, signed=signed), Column(key, "95 % interval", part="interval", signed=signed)
