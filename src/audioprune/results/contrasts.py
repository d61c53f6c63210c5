"""Differences of pooled evaluations over the folds and seeds that all sides have, with the same draws for all.

A term is a factor and a row of `evaluations.tidy`. A drop is (1, unpruned), (-1, pruned); a difference of two models'
drops has four terms; a slope one for each keep-rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from audioprune.results.estimate import Absent, Estimate, combined
from audioprune.results.evaluations import by_cell, measured, pooled
from audioprune.results.study import Results

Run = tuple[int, int]  # fold, seed
NOTHING_SHARED = "they have no fold and seed in common"


def contrast(results: Results, *terms: tuple[float, Any]) -> Estimate | Absent:
    """Sum of factor x value in points; Absent where a term has no run, or the terms share none.

    A row in several terms, as the unpruned one of a slope, counts once with the sum of its factors: an interval is
    that of the sum, however it is written. There is none where the terms are of other clips, as of two datasets.
    """
    factors: dict[tuple[str, ...], float] = {}
    for factor, row in terms:
        factors[row.cells] = factors.get(row.cells, 0) + factor
    rows = list({row.cells: row for _, row in terms}.values())
    shared = shared_runs(results, rows)
    if isinstance(shared, Absent):
        return shared
    parts = [(factor, measured(results, cells)) for factor, cells in zip(factors.values(), shared, strict=True)]
    return replace(combined(*parts), left_out=left_out(results, rows, len(shared[0])))


def difference(results: Results, first: Any, second: Any) -> Estimate | Absent | None:
    """`first` minus `second`, in points; None where either is not planned, or both are the same evaluations."""
    if first is None or second is None or first.cells == second.cells:
        return None
    return contrast(results, (1, first), (-1, second))


def chance(results: Results, first: Any, second: Any) -> float | Absent | None:
    """Two-sided p-value of no difference of two rows, by permutation of recordings; None where they do not pair.

    Absent where so few recordings can be exchanged that nothing can be tested.
    """
    from audioprune.statistics.paired import permutation
    from audioprune.statistics.units import unit_of

    shared = shared_runs(results, [first, second])
    if isinstance(shared, Absent):
        return None
    unit = unit_of(results.dataset(first.dataset))
    try:
        a, b = (pooled(results, cells) for cells in shared)
        found = permutation(a, b, first.metric, unit=unit)
        return Absent(found.why) if found.p is None else found.p
    except ValueError:  # other clips or seeds
        return None


def shared_runs(results: Results, rows: Sequence[Any]) -> list[tuple[str, ...]] | Absent:
    """For each row, the cells of the folds and seeds that all rows have."""
    return in_common([(_made(results, row), row.why) for row in rows])


def in_common(sides: Sequence[tuple[Mapping[Run, str], str]]) -> list[tuple[str, ...]] | Absent:
    """For each side (its cells by fold and seed, or why it has none), the cells of the runs that all sides have."""
    if nothing := next((Absent(why) for made, why in sides if not made), None):
        return nothing
    common = set.intersection(*(set(made) for made, _ in sides))
    if not common:
        return Absent(NOTHING_SHARED)
    return [tuple(cell for run, cell in made.items() if run in common) for made, _ in sides]


def of_planned(shared: int, planned: int) -> str:
    """What is left out where sides have planned more runs than all of them have made."""
    return f"over the {shared} of {planned} runs (folds and seeds) that all sides have" if planned > shared else ""


def left_out(results: Results, rows: Sequence[Any], shared: int) -> str:
    """What some rows have planned and not all have made; empty where all runs are shared."""
    each = by_cell(results)[["fold", "seed"]]
    planned = {run for row in rows for run in each.loc[list(row.cells)].itertuples(index=False, name=None)}
    return of_planned(shared, len(planned))


def _made(results: Results, row: Any) -> dict[Run, str]:
    """{(fold, seed): cell} of the evaluations of a row that exist."""
    each = by_cell(results).loc[list(row.cells)]
    there = each[each["why"] == ""]
    return dict(zip(there[["fold", "seed"]].itertuples(index=False, name=None), there.index, strict=True))
