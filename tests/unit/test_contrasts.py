"""Contrasts of evaluations whose designs are not equal: the runs that all sides share, pooled and drawn by hand."""

from __future__ import annotations

import _again
import numpy as np
import pandas as pd
import pytest
from _again import side
from fake_crossed import AST, MAE, NOT_MADE, P0, P2, crossed

from audioprune import registry
from audioprune.results import contrasts
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.evaluations import measured, tidy
from audioprune.statistics.bootstrap import draw
from audioprune.statistics.paired import permutation
from audioprune.statistics.units import unit_of

RESULTS, PLAN = crossed()
PLAIN = {"kind": "evaluate", "selection": "last", "test": "none", "shelf": False, "recipe": P2.base_lr}


def planned(backbone: str, dataset: str, method: str, keep_rate: float, **more) -> pd.DataFrame:
    return side(**PLAIN | more, backbone=backbone, dataset=dataset, method=method, keep_rate=keep_rate)


def row(own: pd.DataFrame):
    """The row of the pooled evaluations that these of the plan make up."""
    (found,) = (r for r in tidy(RESULTS).itertuples() if set(r.cells) == set(own["path"]))
    return found


def agrees(found: Estimate, sides: list[pd.DataFrame], combine) -> None:
    again = _again.contrast(sides, combine)
    assert (found.value, *found.interval) == pytest.approx(again[:3], rel=1e-9, abs=1e-9)
    assert (found.n, found.seeds, set(found.cells)) == (again.n, again.seeds, set(again.cells))
    assert found.runs == len(_again.shared(sides)[0])
    assert found.left_out == _again.left_out(sides)


UNPRUNED, HALF = (planned(MAE, "esc50", *which) for which in (("none", 1.0), ("topk", 0.5)))
BY_CLASS = planned(MAE, "esc50", "topk.cls", 0.5)
FIRST_FOLD = planned(MAE, "esc50", "intensity", 0.5)
LAST_RUN = planned(MAE, "esc50", "variation", 0.5)
NOWHERE = planned(AST, "fsdd-digits", "intensity", 0.5)


def test_the_plan_is_of_designs_that_are_not_equal():
    made = [_again.runs(own[own["made"]]) for own in (UNPRUNED, BY_CLASS, FIRST_FOLD, LAST_RUN, NOWHERE)]
    assert made == [[(1, 0), (2, 0), (2, 1)], [(1, 1), (2, 0), (2, 1)], [(1, 0), (1, 1)], [(1, 1)], []]


def test_of_each_side_the_runs_are_kept_that_all_have():
    sides = [UNPRUNED, HALF, BY_CLASS]
    kept = contrasts.shared_runs(RESULTS, [row(own) for own in sides])
    wanted = [own[[run in ((2, 0), (2, 1)) for run in _again.runs(own)]]["path"] for own in sides]
    assert kept == [tuple(own) for own in wanted]
    assert all(len(own) == 2 for own in kept)


@pytest.mark.parametrize(
    ("pruned", "shared"), [(HALF, 3), (BY_CLASS, 2), (FIRST_FOLD, 1), (planned(MAE, "esc50", "topk", 0.8), 3)]
)
def test_a_difference_is_of_the_shared_runs_alone(pruned, shared):
    found = contrasts.difference(RESULTS, row(UNPRUNED), row(pruned))
    agrees(found, [UNPRUNED, pruned], lambda x: x[0] - x[1])
    assert found.runs == shared
    assert found.left_out.startswith(f"over the {shared} of 4 runs ")


@pytest.mark.parametrize("dataset", ["fsdd-digits", "esc10mix"])
def test_recordings_are_drawn_as_the_dataset_has_them(dataset):
    """Within speakers, or by the recordings of a mixture; all runs are there, and nothing is left out."""
    sides = [planned(MAE, dataset, *which) for which in (("none", 1.0), ("topk", 0.7), ("topk", 0.5))]
    found = contrasts.contrast(RESULTS, *zip((1.0, -3.0, 2.0), map(row, sides), strict=True))
    agrees(found, sides, lambda x: x[0] - 3 * x[1] + 2 * x[2])
    assert found.left_out == ""
    assert found.seeds == 2


def test_bounds_are_one_sided():
    kept = _again.shared([UNPRUNED, HALF])
    drawn = [
        draw(pd.concat([_frame(path, seed) for path, seed in zip(own["path"], own["seed"])]), "top1") for own in kept
    ]
    draws = 100 * (drawn[0].draws - drawn[1].draws)
    found = contrasts.difference(RESULTS, row(UNPRUNED), row(HALF))
    assert found.bounds == pytest.approx(np.quantile(draws, [0.05, 0.95]))  # of folds of one size
    assert found.interval == pytest.approx(np.quantile(draws, [0.025, 0.975]))


def _frame(path: str, seed: int) -> pd.DataFrame:
    return RESULTS.cell(path).predictions().assign(seed=seed)


def test_one_term_is_the_mean_of_its_own_runs():
    found = contrasts.contrast(RESULTS, (1, row(UNPRUNED)))
    agrees(found, [UNPRUNED], lambda x: x[0])
    assert found.value == measured(RESULTS, found.cells).value == pytest.approx(row(UNPRUNED).value)
    assert found.left_out.startswith("over the 3 of 4 runs")


def test_a_side_without_a_run_says_why():
    attention = row(planned(AST, "fsdd-digits", "topk", 0.5))
    assert contrasts.difference(RESULTS, attention, row(NOWHERE)) == Absent(NOT_MADE)
    assert contrasts.difference(RESULTS, row(NOWHERE), attention) == Absent(NOT_MADE)
    assert contrasts.chance(RESULTS, attention, row(NOWHERE)) is None


def test_sides_without_a_run_in_common_are_not_compared():
    assert contrasts.difference(RESULTS, row(HALF), row(LAST_RUN)) == Absent(contrasts.NOTHING_SHARED)
    assert contrasts.chance(RESULTS, row(HALF), row(LAST_RUN)) is None


def test_what_is_not_planned_or_the_same_has_no_difference():
    assert contrasts.difference(RESULTS, None, row(HALF)) is None
    assert contrasts.difference(RESULTS, row(HALF), None) is None
    assert contrasts.difference(RESULTS, row(HALF), row(HALF)) is None


def test_terms_of_other_clips_have_a_value_and_no_interval():
    digits = planned(MAE, "fsdd-digits", "none", 1.0)
    found = contrasts.difference(RESULTS, row(digits), row(UNPRUNED))
    ours, theirs = (own[[run == (1, 0) for run in _again.runs(own)]]["path"].item() for own in (digits, UNPRUNED))
    assert found.value == pytest.approx(_again.score(ours) - _again.score(theirs))
    assert (found.drawn, found.n, found.cells) == (None, 40, (ours, theirs))
    assert np.isnan([*found.interval, *found.bounds]).all()
    assert contrasts.chance(RESULTS, row(digits), row(UNPRUNED)) is None


@pytest.mark.parametrize("pruned", [HALF, BY_CLASS])
def test_chance_is_of_the_shared_runs(pruned):
    kept = _again.shared([UNPRUNED, pruned])
    pooled = [pd.concat([_frame(path, seed) for path, seed in zip(own["path"], own["seed"])]) for own in kept]
    wanted = permutation(*pooled, "top1", unit=unit_of(registry.dataset("esc50"))).p
    assert contrasts.chance(RESULTS, row(UNPRUNED), row(pruned)) == wanted < 1


def test_recipes_are_rows_of_their_own():
    """Two recipes of a model never meet in a difference of one variant."""
    rows = {row(planned(MAE, "esc50", "topk", 0.7, recipe=recipe.base_lr)).variant for recipe in (P2, P0)}
    assert rows == {"base_lr=0.001", "base_lr=0.002"}
