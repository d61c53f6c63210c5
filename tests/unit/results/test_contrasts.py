"""Contrasts of evaluations whose designs are not equal: the runs that all sides share, pooled and drawn by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import tests.fakes.again as _again
import tests.fakes.intervals as _intervals
from audioprune import registry
from audioprune.results import contrasts
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.evaluations import measured, tidy
from audioprune.statistics.bootstrap import draw
from audioprune.statistics.paired import permutation
from audioprune.statistics.units import unit_of
from tests.fakes.again import side
from tests.fakes.crossed import AST, MAE, NOT_MADE, NOTHING_SHARED, P0, P2, crossed

PLAIN = {"kind": "evaluate", "selection": "last", "test": "none", "shelf": False, "recipe": P2.base_lr}


def planned(backbone: str, dataset: str, method: str, keep_rate: float, **more) -> pd.DataFrame:
    return side(**PLAIN | more, backbone=backbone, dataset=dataset, method=method, keep_rate=keep_rate)


def row(own: pd.DataFrame):
    """The row of the pooled evaluations that these of the plan make up."""
    (found,) = (r for r in tidy(crossed()[0]).itertuples() if set(r.cells) == set(own["path"]))
    return found


def agrees(found: Estimate, sides: list[pd.DataFrame], combine) -> None:
    again = _again.contrast(sides, combine)
    assert (found.value, *found.interval) == pytest.approx(again[:3], rel=1e-9, abs=1e-9)
    assert (found.n, found.seeds, set(found.cells)) == (again.n, again.seeds, set(again.cells))
    assert found.runs == len(_again.shared(sides)[0])
    assert found.left_out == _again.left_out(sides)


ESC50 = {  # method and keep-rate of AudioMAE, by name
    "unpruned": ("none", 1.0),
    "0.8": ("topk", 0.8),
    "half": ("topk", 0.5),
    "by class": ("topk.cls", 0.5),
    "first fold": ("intensity", 0.5),
    "last run": ("variation", 0.5),
}


def esc50(name: str) -> pd.DataFrame:
    return planned(MAE, "esc50", *ESC50[name])


def nowhere() -> pd.DataFrame:
    return planned(AST, "fsdd-digits", "intensity", 0.5)


def test_the_plan_is_of_designs_that_are_not_equal():
    sides = [*map(esc50, ("unpruned", "by class", "first fold", "last run")), nowhere()]
    made = [_again.runs(own[own["made"]]) for own in sides]
    assert made == [[(1, 0), (2, 0), (2, 1)], [(1, 1), (2, 0), (2, 1)], [(1, 0), (1, 1)], [(1, 1)], []]


def test_of_each_side_the_runs_are_kept_that_all_have():
    sides = [*map(esc50, ("unpruned", "half", "by class"))]
    kept = contrasts.shared_runs(crossed()[0], [row(own) for own in sides])
    wanted = [own[[run in ((2, 0), (2, 1)) for run in _again.runs(own)]]["path"] for own in sides]
    assert kept == [tuple(own) for own in wanted]
    assert all(len(own) == 2 for own in kept)


@pytest.mark.parametrize(("pruned", "shared"), [("half", 3), ("by class", 2), ("first fold", 1), ("0.8", 3)])
def test_a_difference_is_of_the_shared_runs_alone(pruned, shared):
    sides = [esc50("unpruned"), esc50(pruned)]
    found = contrasts.difference(crossed()[0], *map(row, sides))
    agrees(found, sides, lambda x: x[0] - x[1])
    assert found.runs == shared
    assert found.left_out.startswith(f"over the {shared} of 4 runs ")


@pytest.mark.parametrize("dataset", ["fsdd-digits", "esc10mix"])
def test_recordings_are_drawn_as_the_dataset_has_them(dataset):
    """Within speakers, or by the recordings of a mixture; all runs are there, and nothing is left out."""
    sides = [planned(MAE, dataset, *which) for which in (("none", 1.0), ("topk", 0.7), ("topk", 0.5))]
    found = contrasts.contrast(crossed()[0], *zip((1.0, -3.0, 2.0), map(row, sides), strict=True))
    agrees(found, sides, lambda x: x[0] - 3 * x[1] + 2 * x[2])
    assert found.left_out == ""
    assert found.seeds == 2


def test_bounds_are_one_sided():
    sides = [esc50("unpruned"), esc50("half")]
    kept = _again.shared(sides)
    drawn = [
        draw(pd.concat([_frame(path, seed) for path, seed in zip(own["path"], own["seed"])]), "top1") for own in kept
    ]
    draws = 100 * (drawn[0].draws - drawn[1].draws)
    found = contrasts.difference(crossed()[0], *map(row, sides))
    own = found.value, draws, (100, -100), drawn[0].design.effective  # of folds of one size
    assert found.bounds == pytest.approx(_intervals.ends(*own, [0.05, 0.95]))
    assert found.interval == pytest.approx(_intervals.ends(*own, [0.025, 0.975]))


def _frame(path: str, seed: int) -> pd.DataFrame:
    return crossed()[0].cell(path).predictions().assign(seed=seed)


def test_an_interval_is_that_of_the_sum_however_it_is_written():
    """The unpruned model, in two drops of one slope, slips on its own clips once."""
    results, unpruned, half, less = crossed()[0], *(esc50(name) for name in ("unpruned", "half", "0.8"))
    apart = [(2.0, row(unpruned)), (-2.0, row(half)), (1.0, row(unpruned)), (-1.0, row(less))]
    agrees(contrasts.contrast(results, *apart), [unpruned, half, less], lambda x: 3 * x[0] - 2 * x[1] - x[2])


def test_one_term_is_the_mean_of_its_own_runs():
    own = esc50("unpruned")
    found = contrasts.contrast(crossed()[0], (1, row(own)))
    agrees(found, [own], lambda x: x[0])
    assert found.value == measured(crossed()[0], found.cells).value == pytest.approx(row(own).value)
    assert found.left_out.startswith("over the 3 of 4 runs")


def test_a_side_without_a_run_says_why():
    attention = row(planned(AST, "fsdd-digits", "topk", 0.5))
    assert contrasts.difference(crossed()[0], attention, row(nowhere())) == Absent(NOT_MADE)
    assert contrasts.difference(crossed()[0], row(nowhere()), attention) == Absent(NOT_MADE)
    assert contrasts.chance(crossed()[0], attention, row(nowhere())) is None


def test_sides_without_a_run_in_common_are_not_compared():
    assert contrasts.difference(crossed()[0], row(esc50("half")), row(esc50("last run"))) == Absent(NOTHING_SHARED)
    assert contrasts.chance(crossed()[0], row(esc50("half")), row(esc50("last run"))) is None


def test_what_is_not_planned_or_the_same_has_no_difference():
    assert contrasts.difference(crossed()[0], None, row(esc50("half"))) is None
    assert contrasts.difference(crossed()[0], row(esc50("half")), None) is None
    assert contrasts.difference(crossed()[0], row(esc50("half")), row(esc50("half"))) is None


def test_terms_of_other_clips_have_a_value_and_no_interval():
    digits = planned(MAE, "fsdd-digits", "none", 1.0)
    found = contrasts.difference(crossed()[0], row(digits), row(esc50("unpruned")))
    ours, theirs = (
        own[[run == (1, 0) for run in _again.runs(own)]]["path"].item() for own in (digits, esc50("unpruned"))
    )
    assert found.value == pytest.approx(_again.score(ours) - _again.score(theirs))
    assert (found.drawn, found.n, found.cells) == (None, 40, (ours, theirs))
    assert np.isnan([*found.interval, *found.bounds]).all()
    assert contrasts.chance(crossed()[0], row(digits), row(esc50("unpruned"))) is None


@pytest.mark.parametrize("pruned", ["half", "by class"])
def test_chance_is_of_the_shared_runs(pruned):
    sides = [esc50("unpruned"), esc50(pruned)]
    kept = _again.shared(sides)
    pooled = [pd.concat([_frame(path, seed) for path, seed in zip(own["path"], own["seed"])]) for own in kept]
    wanted = permutation(*pooled, "top1", unit=unit_of(registry.dataset("esc50"))).p
    assert contrasts.chance(crossed()[0], *map(row, sides)) == wanted < 1


def test_recipes_are_rows_of_their_own():
    """Two recipes of a model never meet in a difference of one variant."""
    rows = {row(planned(MAE, "esc50", "topk", 0.7, recipe=recipe.base_lr)).variant for recipe in (P2, P0)}
    assert rows == {"base_lr=0.001", "base_lr=0.002"}
