"""Which models a study asks about noise: their cells, what these take in, and which of them share a process."""

from __future__ import annotations

import pytest

from audioprune.cells.kinds import KINDS
from audioprune.config.file import load
from audioprune.config.tested import Robustness
from audioprune.labels import label_of
from audioprune.planning import batches
from audioprune.planning.cost import estimate
from audioprune.planning.plan import Plan
from tests import REPOSITORY

GIVEN = {"kinds": ("white", "babble", "other"), "snrs": (20, 10, 0), "babble": "fsdd-digits"}


def planned(**given):
    config = load(REPOSITORY / "config.yaml")
    block = Robustness(**GIVEN | given)
    study = config.studies["mini"].model_copy(update={"robustness": (block,)})
    return Plan(config.model_copy(update={"studies": {**config.studies, "mini": study}})).study("mini")


def bare():
    config = load(REPOSITORY / "config.yaml")
    study = config.studies["mini"].model_copy(update={"robustness": ()})
    return Plan(config.model_copy(update={"studies": {**config.studies, "mini": study}})).study("mini")


@pytest.fixture(scope="module")
def study():
    return planned()


def test_the_unpruned_model_is_asked_by_every_method_and_trained_ones_by_their_own(study):
    found = {}
    for cell in study.cells("noisy", backbone="ast-tiny", dataset="esc10"):
        tuned = cell.inputs["finetune"].settings
        found.setdefault((label_of(tuned.pruning), tuned.fold), []).append(label_of(cell.settings.pruning))
    shelf = ["none-kr1", "topk-kr0.5", "random-kr0.5", "uniform-kr0.5", "intensity-kr0.5", "tome-kr0.5"]
    for fold in (1, 2):
        assert found["none-kr1", fold] == shelf
        assert found["topk-kr0.7", fold] == ["topk-kr0.7"]
        assert found["topk-kr0.5", fold] == ["topk-kr0.5"]
    assert len(found) == 6


def test_babble_is_made_of_another_dataset_where_one_is_named_and_of_the_clips_themselves_where_it_is_theirs(study):
    for cell in study.cells("noisy"):
        takes = {"audio", "features", "finetune"}
        if cell.inputs["audio"].settings.dataset == "esc10":
            takes |= {"babble"}
            assert cell.inputs["babble"].settings.dataset == "fsdd-digits"
        assert set(cell.inputs) == takes


def test_nothing_else_changes(study):
    others = [path for path in study.all if not path.startswith("noisy/")]
    assert sorted(others) == sorted(bare().all)


def test_models_that_meet_the_same_clips_share_a_process(study):
    for cell, batch in batches.batches_of(study.cells("noisy")).items():
        assert len(batch.cells) == 8
        first = study.all[cell]
        for other in batch.cells:
            assert other.inputs["audio"] is first.inputs["audio"]
            assert batches.tuned_of(other).settings.fold == batches.tuned_of(first).settings.fold
    assert len({batch.key for batch in batches.batches_of(study.cells("noisy")).values()}) == 6


def test_runs(study):
    assert len(planned(runs="first").cells("noisy")) == 32  # of two backbones on one dataset and one fold of another
    assert len(planned(runs="all").cells("noisy")) == len(study.cells("noisy")) == 48


def test_a_cell_costs_a_pass_for_each_condition_and_one_for_the_clean_clips(study):
    (cell, *_) = study.cells("noisy")
    plain = next(c for c in study.cells("evaluate") if c.inputs["finetune"] is cell.inputs["finetune"])
    each = estimate(plain, study.dataset, 1.0)["core_hours"]
    assert estimate(cell, study.dataset, 1.0)["core_hours"] == pytest.approx(10 * each)
    assert KINDS["noisy"].passes(cell.settings.model_copy(update={"kinds": ("white", "reverb"), "draws": 3})) == 19
