"""Contrasts of token analyses whose designs are not equal: shared runs and clips, by hand from the rows by clip."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import tests.fakes.again as _again
from audioprune.results import token_contrasts
from audioprune.results.estimate import Absent
from audioprune.results.study import Results
from audioprune.results.tokens import Group, analysed, groups
from audioprune.settings.data import AudioSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings
from tests.fakes.again import side
from tests.fakes.claims import DECOY, tokens_cell
from tests.fakes.crossed import AST, MAE, NOT_MADE, NOTHING_SHARED, P2, clips, crossed
from tests.fakes.studies import RECIPE, Study


@cache
def every_group() -> list[Group]:
    return groups(crossed()[0], analysed(crossed()[0], own=True, pruned=None))


def planned(backbone: str, dataset: str, keep_rate: float):
    where = {"backbone": backbone, "dataset": dataset, "keep_rate": keep_rate, "recipe": P2.base_lr}
    return side(**where, kind="tokens", method="topk" if keep_rate < 1 else "none")


def group(backbone: str, dataset: str, keep_rate: float) -> Group:
    own = planned(backbone, dataset, keep_rate)
    (found,) = (g for g in every_group() if set(g.cells) == set(own[own["made"]]["path"]))
    return found


PAIRS = [
    ("fsdd-digits", 0.7, 2, ""),  # recordings within speakers, two seeds
    ("esc50", 0.7, 3, "over the 3 of 4 runs"),
    ("esc50", 0.5, 1, "over the 1 of 4 runs"),
    ("esc10mix", 0.7, 3, "over the 3 of 4 runs"),  # recordings of mixtures
    ("esc10mix", 0.5, 2, "over the 2 of 4 runs"),
]


@pytest.mark.parametrize(("dataset", "rate", "runs", "left_out"), PAIRS)
def test_two_models_are_compared_clip_by_clip_over_the_runs_that_both_have(dataset, rate, runs, left_out):
    models = [(MAE, dataset, rate), (AST, dataset, rate)]
    sides, (ours, theirs) = [planned(*own) for own in models], [group(*own) for own in models]
    for column in ("low_of_kept", "ratio_b", "gamma_s", "norm"):
        found = token_contrasts.contrast(crossed()[0], column, (1, ours, 9), (-1, theirs, 9))
        again = _again.tokens(sides, column, [9, 9], lambda x: x[0] - x[1])
        assert (found.value, *found.interval) == pytest.approx(again[:3], rel=1e-9, abs=1e-12)
        assert (found.n, found.seeds, set(found.cells)) == (again.n, again.seeds, set(again.cells))
        assert found.runs == runs == len(_again.shared(sides)[0])
        assert found.left_out.startswith(left_out)
        assert bool(found.left_out) == bool(left_out)


def test_bounds_are_of_the_same_draws():
    found = token_contrasts.contrast(crossed()[0], "low_of_kept", (1, group(MAE, "esc50", 0.7), 9))
    low, lower, upper, high = np.quantile(found.draws, [0.025, 0.05, 0.95, 0.975])
    assert found.interval == pytest.approx((low, high))
    assert found.bounds == pytest.approx((lower, upper))


def test_a_sum_over_blocks_is_one_of_each_clip():
    own, blocks = group(MAE, "esc50", 1.0), range(12)
    factors = np.linspace(-1, 1, 12)
    found = token_contrasts.contrast(crossed()[0], "norm", *((f, own, b) for f, b in zip(factors, blocks, strict=True)))
    again = _again.tokens([planned(MAE, "esc50", 1.0)] * 12, "norm", blocks, lambda x: factors @ x)
    assert (found.value, *found.interval) == pytest.approx(again[:3])


def test_clips_count_once_whatever_the_seeds():
    """Two runs, of another fold and another seed each: 80 clips, of which every ninth of a fold has no signal."""
    own = group(MAE, "esc50", 0.5)
    assert sorted(_again.runs(planned(MAE, "esc50", 0.5)[lambda plan: plan["made"]])) == [(1, 0), (2, 1)]
    assert token_contrasts.contrast(crossed()[0], "low_of_kept", (1, own, 9)).n == 80
    assert token_contrasts.contrast(crossed()[0], "ratio_b", (1, own, 9)).n == 80 - 2 * 5
    assert token_contrasts.contrast(crossed()[0], "ratio_b", (1, group(MAE, "esc50", 0.7), 9)).n == 80 - 2 * 5


def test_why_there_is_no_contrast():
    one, two = group(MAE, "fsdd-digits", 0.5), group(AST, "fsdd-digits", 0.5)
    assert token_contrasts.contrast(crossed()[0], "norm", (1, one, 3), (-1, two, 3)) == Absent(NOTHING_SHARED)
    nothing = replace(one, cells=(), missing=2, why=NOT_MADE)
    assert token_contrasts.contrast(crossed()[0], "norm", (1, nothing, 3), (-1, two, 3)) == Absent(NOT_MADE)
    mixed = group(MAE, "esc10mix", 0.7)
    assert token_contrasts.contrast(crossed()[0], "gamma_b", (1, mixed, 9)) == Absent("no clip has gamma_b at block 9")
    others = token_contrasts.contrast(crossed()[0], "norm", (1, group(MAE, "esc50", 0.7), 3), (-1, mixed, 3))
    assert others == Absent("the models to compare were not analysed on the same clips")


def test_shared_runs_keep_the_cells_of_each_model_in_its_order():
    ours, theirs = group(MAE, "esc10mix", 0.7), group(AST, "esc10mix", 0.7)
    kept = token_contrasts.shared_runs(crossed()[0], [ours, theirs])
    sides = _again.shared([planned(MAE, "esc10mix", 0.7), planned(AST, "esc10mix", 0.7)])
    assert [own.cells for own in kept] == [tuple(own["path"]) for own in sides]
    assert [replace(own, cells=()) for own in kept] == [replace(own, cells=()) for own in (ours, theirs)]


def study(folder, columns: dict[str, dict]) -> tuple[Results, dict[str, Group]]:
    """One run each of models on the same clips of esc50, by backbone."""
    made = Study(folder)
    audio = made.cell("audio", "esc50", AudioSettings(dataset="esc50"))
    for backbone, (names, rows) in columns.items():
        settings = FinetuneSettings(
            model=Model(backbone=backbone),
            dataset="esc50",
            recipe=RECIPE,
            pruning=Pruning(method="topk", keep_rate=0.5),
        )
        tuned = made.cell("finetune", backbone, settings, audio=audio)
        tokens_cell(made, tuned, audio, names.assign(row=names.index), rows)
    results = Results("mini", made.cells)
    return results, {g.backbone: g for g in groups(results, analysed(results))}


def test_clips_that_one_side_has_nothing_of_are_left_out_on_both(tmp_path):
    names = clips("esc50", 1)
    ours, theirs = (np.random.default_rng(seed).normal(size=40) for seed in (1, 2))
    ours[:4], theirs[3:6] = np.nan, np.nan
    zero = np.zeros(40)
    rows = [{"gamma_s": {3: own}, "gamma_b": {3: zero}} for own in (ours, theirs)]
    results, found = study(tmp_path, {MAE: (names, rows[0]), AST: (names, rows[1])})
    difference = token_contrasts.contrast(results, "gamma_s", (1, found[MAE], 3), (-1, found[AST], 3))
    assert difference.value == pytest.approx((ours[6:] - theirs[6:]).mean())  # and none of the other score's decoys
    assert (difference.n, difference.left_out) == (34, "over the 34 of 39 clips that have it on all sides")
    alone = token_contrasts.contrast(results, "gamma_s", (1, found[MAE], 3))
    assert (alone.value, alone.n, alone.left_out) == (pytest.approx(np.nanmean(ours)), 36, "")
    assert abs(alone.value) < DECOY / 10


@pytest.mark.parametrize("first", [MAE, AST])
def test_other_samples_of_clips_are_not_compared_in_either_order(tmp_path, first):
    names, values = clips("esc50", 1), np.linspace(0, 1, 40)
    fewer = names.iloc[:30]
    results, found = study(tmp_path, {MAE: (names, {"norm": {3: values}}), AST: (fewer, {"norm": {3: values[:30]}})})
    second = {MAE: AST, AST: MAE}[first]
    wanted = Absent("the models to compare were not analysed on the same clips")
    assert token_contrasts.contrast(results, "norm", (1, found[first], 3), (-1, found[second], 3)) == wanted
