"""The block `durations`: what it refuses, and the cells that it plans; all others stay what they are."""

from __future__ import annotations

import pytest

from audioprune.config.checks import errors_of
from audioprune.config.file import load
from audioprune.config.tested import Durations
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of

CONFIG = load()


def with_block(study: str, *blocks: dict):
    own = CONFIG.studies[study].model_copy(update={"durations": tuple(Durations(**block) for block in blocks)})
    return CONFIG.model_copy(update={"studies": {study: own}})


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"datasets": ("esc50",)},
            "durations.0.datasets.0: no dataset in its grids named 'esc50'; did you mean 'esc10'",
        ),
        ({"backbones": ("ast-b",)}, "durations.0.backbones.0: no backbone in its grids named 'ast-b'"),
        (
            {"datasets": ("fsdd-digits",), "seconds": (0.65,)},
            "0.65 s is not from 0.16 to 0.64, the length of models of",
        ),
        ({"datasets": ("esc10",), "seconds": (0.1,)}, "a native length is whole columns of 16 frames"),
        ({"datasets": ("esc10",), "seconds": (1.0, 1.0)}, "durations.0.seconds: [1.0, 1.0] must be different"),
        ({"keep_rates": (1.0,)}, "1.0 is not above 0 and below 1; the unpruned model is always there"),
        ({"keep_rates": (0.3,)}, "durations.0.keep_rates: no grid trains a model at 0.3 there"),
        ({"methods": ("random",)}, "durations.0.methods: no grid trains 'random' there"),
        ({"off_the_shelf": ("topc",)}, "durations.0.off_the_shelf.0: "),
        ({"off_the_shelf": ("tome",), "off_the_shelf_rates": (0.3,)}, "keeps at least 0.5"),
    ],
)
def test_refused(block, message):
    assert any(message in error for error in errors_of(with_block("mini", block)))


def test_the_studies_of_the_repository_are_right():
    assert errors_of(CONFIG) == []
    asked = {name for name, study in CONFIG.studies.items() if study.durations}
    assert {"paper", "mini", "mini-full", "demo"} <= asked


def planned(study: str, *blocks: dict):
    return study_of(Planner(with_block(study, *blocks)), study)


def test_a_cell_for_each_fine_tuning_and_method_off_the_shelf():
    plan = planned("mini", {"datasets": ("fsdd-digits",), "keep_rates": (0.5,), "off_the_shelf": ("random",)})
    found = {cell.address.split("/", 2)[2] for cell in plan.cells("durations", backbone="ast-tiny")}
    assert found == {
        "none-kr1/fold1-seed0/durations-none-kr1/last",
        "none-kr1/fold1-seed0/durations-random-kr0.5/last",
        "topk-kr0.5/fold1-seed0/durations-topk-kr0.5/last",
    }
    tuned = {cell.path for cell in plan.cells("finetune")}
    assert {cell.inputs["finetune"].path for cell in plan.cells("durations")} <= tuned


def test_runs():
    block = {"datasets": ("esc10",), "keep_rates": (), "backbones": ("ast-tiny",)}
    folds = {
        runs: len(planned("mini", block | {"runs": runs}).cells("durations")) for runs in ("first", "folds", "all")
    }
    assert folds == {"first": 1, "folds": 2, "all": 2}


@pytest.mark.parametrize("study", ["mini", "demo"])
def test_other_cells_stay_what_they_are(study):
    without = planned(study)
    block = {"datasets": (CONFIG.studies[study].grids[0].datasets[0],)}
    assert {*without.all} == {path for path in planned(study, block).all if not path.startswith("durations/")}
