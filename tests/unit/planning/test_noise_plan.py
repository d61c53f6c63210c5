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
from audioprune.results import lengths, noise, operating
from audioprune.tables import claims, pace, robustness
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


def arms(name: str):
    """(a study of the configuration, the same without models that are trained with noise)."""
    config = load(REPOSITORY / "config.yaml")
    study = config.studies[name]
    off = tuple(block.model_copy(update={"noise_trained": False}) for block in study.robustness)
    without = study.model_copy(update={"robustness": off})
    other = Plan(config.model_copy(update={"studies": {**config.studies, name: without}}))
    return Plan(config).study(name), other.study(name)


@pytest.mark.parametrize(
    ("name", "folds"), [("paper", {"esc50": 5, "spc2": 1}), ("mini-full", {"esc10": 5, "fsdd-digits": 1})]
)
def test_models_trained_with_noise_are_two_of_each_fold_and_change_no_other_cell(name, folds):
    study, without = arms(name)
    new = [cell for path, cell in study.all.items() if path not in without.all]
    assert [path for path in study.all if path in without.all] == [*without.all]
    assert {cell.kind for cell in new} == {"finetune", "noisy"}
    tuned = [cell for cell in new if cell.kind == "finetune"]
    assert {cell.settings.augment.waveform_noise for cell in tuned} == {0.5}
    found = {}
    for cell in tuned:
        own = cell.settings
        found.setdefault((own.model.backbone, own.dataset, own.seed), []).append((own.fold, label_of(own.pruning)))
    first = {"esc50": 12}
    assert {(dataset, seed) for _, dataset, seed in found} == {(dataset, first.get(dataset, 0)) for dataset in folds}
    for (_, dataset, _), runs in found.items():
        both = [(fold + 1, label) for fold in range(folds[dataset]) for label in ("none-kr1", "topk-kr0.5")]
        assert sorted(runs) == both
    asked = [(cell.inputs["finetune"].path, label_of(cell.settings.pruning)) for cell in new if cell.kind == "noisy"]
    assert sorted(asked) == sorted((cell.path, label_of(cell.settings.pruning)) for cell in tuned)


def test_no_other_study_trains_with_noise():
    config = load(REPOSITORY / "config.yaml")
    on = {name for name, study in config.studies.items() for block in study.robustness if block.noise_trained}
    assert on == {"paper", "mini-full"}


def test_claims_take_in_what_their_answers_are_computed_from(monkeypatch):
    """Of real miniatures: all that tables of noise, lengths, timings and transcripts show is there for verdicts."""
    monkeypatch.setenv("AUDIOPRUNE_DEVICE", "a device")
    plan = Plan()
    for name in ("mini", "speech-mini"):
        study = plan.study(name)
        given = {cell.path for cell in claims.needs(study)}
        for module in (robustness, operating, lengths, pace, noise):
            assert {cell.path for cell in module.needs(study)} <= given, (name, module.__name__)


def test_every_kind_of_cell_is_an_ingredient_or_drawn_or_taken_in_by_the_claims():
    """So that a new kind of result is not forgotten."""
    ingredients = {
        "fetch", "generate", "audio", "features", "clusters", "pretrain", "finetune", "recognise", "trace", "macs",
    }  # fmt: skip
    assert {*KINDS} == ingredients | {*claims.JUDGED} | {name for name, kind in KINDS.items() if kind.draws}
