"""Which arms a study of recognisers has, what they are called, and which of them one process makes."""

from __future__ import annotations

import pytest

from audioprune.config import checks as config_checks
from audioprune.config import design as config
from audioprune.config import file as config_file
from audioprune.config.design import Recognition
from audioprune.planning.batches import batches_of
from audioprune.planning.cost import estimate
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of


def arms_of(**given) -> list:
    """Cells of one block of recognitions, on the 100 real sentences."""
    block = Recognition(recognisers=("whisper-base",), datasets=("commonvoice-100",), **given)
    study = config.Study(title="t", tier="real miniature", recognitions=(block,))
    whole = config_file.load()
    planner = Planner(whole.model_copy(update={"studies": {"s": study}}))
    return study_of(planner, "s").cells("transcribe")


def labels(cells) -> list[str]:
    return [cell.address.rpartition("/")[2] for cell in cells]


def test_a_block_is_crossed_and_what_makes_no_sense_is_left_out():
    cells = arms_of(
        policies=("stride", "pool@0", "topk"), keep_rates=(0.5,), within=("sound",), budgets=("fixed", "threshold"),
        thins=("first",), thin_to=(80, 160), margins=(128,),
    )  # fmt: skip
    assert labels(cells) == [
        "none",
        "stride-0.5-block2-sound",
        "pool-0.5-block2-sound-at-input",
        "topk-0.5-block2-sound",
        "topk-0.5-block2-sound-threshold",  # of stride and pool nothing can reach a threshold
        "none-thin-first-80-block2",
        "none-thin-first-160-block2",
        "none-margin128",
    ]
    assert len({cell.key for cell in cells}) == len(cells)


def test_at_keep_rate_1_there_is_one_arm_whatever_is_crossed():
    cells = arms_of(policies=("stride", "topk"), keep_rates=(1.0,), budgets=("fixed", "threshold"))
    assert labels(cells) == ["none"]
    assert labels(arms_of(policies=(), fallbacks=(False, True))) == ["none", "none-fallback"]


def test_a_new_field_with_its_default_leaves_the_arms_of_others_alone():
    plain = arms_of(policies=("topk",), keep_rates=(0.5,))
    more = arms_of(policies=("topk",), keep_rates=(0.5,), margins=(0,), fallbacks=(False, True), thins=("last",))
    assert {cell.path for cell in plain} < {cell.path for cell in more}


def test_real_speech_in_miniature_asks_what_it_should():
    """7 policies at 3 rates, of sound and window; thresholds of 2; 3 at three blocks; padding; runaways."""
    planner = Planner(config_file.load())
    cells = [c for c in study_of(planner, "speech-mini").cells("transcribe") if "checkpoint" in c.inputs]
    assert len(cells) == 1 + 7 * 3 * 2 + 2 * 2 * 2 + 3 * 2 * 2 + 4 * 4 + 2 + 4
    made = {batch.key: batch for batch in batches_of(cells).values()}.values()
    assert sorted(cell.path for batch in made for cell in batch.cells) == sorted(cell.path for cell in cells)
    assert sorted(len(batch.cells) for batch in made) == [10] * 3 + [11] * 5  # 85; as much work for each


def test_a_process_makes_arms_of_one_recogniser_and_dataset():
    block = {"policies": ("topk",), "keep_rates": (0.5,)}
    cells = [*arms_of(**block)]
    tiny = Recognition(recognisers=("whisper-tiny",), datasets=("commonvoice-100",), **block)
    study = config.Study(title="t", tier="real miniature", recognitions=(tiny,))
    cells += study_of(Planner(config_file.load().model_copy(update={"studies": {"s": study}})), "s").cells("transcribe")
    for batch in batches_of(cells).values():
        assert len({cell.settings.recogniser for cell in batch.cells}) == 1
    assert len(set(batches_of(cells).values())) == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"policies": ["stride"], "budgets": ["threshold"]}, "'stride' has no score to hold against a threshold"),
        ({"policies": ["pool@1"]}, "did you mean 'pool@0'?"),
        ({"policies": ["tome"]}, "no policy named 'tome'"),
    ],
)
def test_what_cannot_be_an_arm_is_told(given, words):
    given = {"recognisers": ["whisper-base"], "datasets": ["commonvoice-100"]} | given
    text = {"recipes": {}, "studies": {"s": {"title": "t", "tier": "real miniature", "recognitions": [given]}}}
    assert words in "\n".join(config_checks.errors_of(config.Config.model_validate(text)))


def test_a_policy_of_frames_in_a_grid_of_classifiers_is_told():
    grid = {"backbones": ["ast-tiny"], "datasets": ["esc50"], "methods": ["stride"]}
    text = {"recipes": {}, "studies": {"s": {"title": "t", "tier": "published", "grids": [grid]}}}
    found = "\n".join(config_checks.errors_of(config.Config.model_validate(text)))
    assert "no method named 'stride'" in found


def test_an_arm_is_expected_to_take_what_its_macs_take():
    """Whisper base, 30 s: 43.8 GMACs of the encoder, 4.72 of the decoder's keys and values, 1.74 of 30 units; 100
    clips, two FLOPs a MAC, 60 GFLOP/s.
    """
    facts = Planner(config_file.load()).facts
    arms = {"policies": ("stride",), "keep_rates": (0.25,), "within": ("sound", "window")}
    whole, sound, window = (estimate(cell, facts, 100)["core_hours"] for cell in arms_of(**arms))
    assert whole == sound == pytest.approx(100 * 2 * (43.8 + 4.72 + 1.74) / 60 / 3600, rel=0.01)
    assert window == pytest.approx(whole * 0.53, rel=0.03)  # 53 % of all MACs were counted on real clips
