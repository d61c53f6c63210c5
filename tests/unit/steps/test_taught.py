"""Recognisers that learn, as a study plans them: bases, what is adapted from them, what is said of a wrong block."""

from __future__ import annotations

from collections import Counter
from math import prod

import pytest

from audioprune.cells.cell import Cell
from audioprune.config.design import Recognition
from audioprune.config.file import load
from audioprune.config.recognitions import recognition
from audioprune.planning import batches, jobs
from audioprune.planning.stages import Planner
from audioprune.planning.taught import cells

RECIPE = {"epochs": 4, "batch_size": 8, "warmup_epochs": 0.4}
GIVEN = {
    "recognisers": ("strips-tiny",),
    "datasets": ("fsdd-strings",),
    "policies": ("stride", "pool", "pool@0", "topk", "blank"),
    "keep_rates": (0.7, 0.5),
    "blocks": ((3, 6, 9),),
    "taught": {"base": RECIPE, "adapted": {"epochs": 1, "warmup_epochs": 0.1}, "seeds": (0, 1)},
}


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(load())


def planned(planner: Planner, **changed) -> list[Cell]:
    given = Recognition.model_validate({**GIVEN, **changed})
    return [*cells(planner, given, given.taught)]


def upstream(found: list[Cell], kind: str) -> list[Cell]:
    return [*{cell.path: cell for one in found for cell in one.upstream().values() if cell.kind == kind}.values()]


def test_a_base_for_each_seed_and_what_is_adapted_from_it(planner):
    found = planned(planner)
    recognisers = upstream(found, "recognise")
    bases = [cell for cell in recognisers if "recognise" not in cell.inputs]
    assert [(cell.settings.seed, cell.settings.policy, cell.settings.recipe.epochs) for cell in bases] == [
        (0, "none", 4),
        (1, "none", 4),
    ]
    adapted = [cell for cell in recognisers if "recognise" in cell.inputs]
    assert len(adapted) == 2 * (1 + 5 * 2)
    for cell in adapted:
        base = cell.inputs["recognise"]
        assert base.settings.seed == cell.settings.seed
        assert cell.inputs["audio"] is base.inputs["audio"]
        assert (cell.settings.recipe.epochs, cell.settings.recipe.batch_size) == (1, 8)
    arms = Counter((c.settings.policy, c.settings.at_input, "recognise" in c.inputs["recognise"].inputs) for c in found)
    assert arms == {
        **{("none", False, trained): 2 for trained in (False, True)},
        **{(policy, False, trained): 4 for policy in ("stride", "pool", "topk", "blank") for trained in (False, True)},
        **{("pool", True, trained): 4 for trained in (False, True)},
    }


def test_what_is_heard_is_restored_as_it_was_trained_or_as_tokens_alone_say(planner):
    for cell in planned(planner):
        own, trained = cell.settings, "recognise" in cell.inputs["recognise"].inputs
        wanted = "" if own.policy in ("none", "pool") else "carried" if trained else "nearest"
        assert own.restore == wanted


def test_every_restoring_and_budget_is_asked_where_it_is_another(planner):
    found = planned(planner, restores=("carried", "nearest", "blank"), budgets=("fixed", "threshold"))
    of = Counter(cell.settings.policy for cell in found)
    models = 2 * 2 * 2  # seeds, keep-rates, as published and adapted
    assert of == {"none": 4, "stride": 3 * models, "pool": 2 * models, "topk": 6 * models, "blank": 6 * models}
    assert len(upstream(found, "recognise")) == len(upstream(planned(planner), "recognise"))


def test_longer_strips_are_unpruned(planner):
    found = planned(planner, taught={**GIVEN["taught"], "coarser": (8,), "seeds": (0,)})
    longer = [cell for cell in found if cell.inputs["recognise"].settings.strip == 8]
    assert [(cell.settings.policy, "recognise" in cell.inputs["recognise"].inputs) for cell in longer] == [
        ("none", False),
        ("none", True),
    ]


def test_an_official_checkpoint_is_one_cell_and_blank_is_not_asked_of_it(planner):
    """It lacks the head that blank ranks by; an adapted model has trained one."""
    taught = {"units": "chars", "adapted": RECIPE, "seeds": (0, 1)}
    found = planned(planner, recognisers=("wav2vec2-b",), datasets=("librispeech",), taught=taught)
    (official,) = [cell for cell in upstream(found, "recognise") if "recognise" not in cell.inputs]
    assert official.settings.recipe is None
    assert official.inputs["checkpoint"].address == "checkpoint-wav2vec2-b"
    blank = [cell for cell in found if cell.settings.policy == "blank"]
    assert len(blank) == 2 * 2
    assert all("recognise" in cell.inputs["recognise"].inputs for cell in blank)
    assert all(jobs.gpus(cell) == 1 for cell in found)


def test_further_test_sets_are_heard_by_the_same_models_with_thresholds_of_their_own_validation_clips(planner):
    taught = {"units": "chars", "adapted": RECIPE, "also_on": ("librispeech-other",)}
    given = {"recognisers": ("wav2vec2-b",), "datasets": ("librispeech",), "budgets": ("fixed", "threshold")}
    found, alone = (planned(planner, **given, taught=taught | also) for also in ({}, {"also_on": ()}))
    other = [cell for cell in found if cell.settings.dataset == "librispeech-other"]
    assert [cell.path for cell in found if cell not in other] == [cell.path for cell in alone]
    assert len(other) == len(alone)
    assert len({cell.address for cell in found}) == len(found)
    assert {cell.inputs["audio"].path for cell in other} == {planner.audio("librispeech-other").path}
    assert {cell.inputs["recognise"].path for cell in other} == {cell.inputs["recognise"].path for cell in alone}
    for cell in other:
        shown = cell.inputs.get("validation")
        assert (shown is not None) == (cell.settings.budget == "threshold")
        assert shown is None or shown is planner.audio("librispeech")
    (wrong,) = recognition(
        load(),
        "here",
        Recognition.model_validate({**GIVEN, **given, "taught": taught | {"also_on": ("esc50",)}}),
        ("librispeech", "esc50"),
    )
    assert wrong.startswith("here.taught.also_on.0: no dataset with transcripts named 'esc50'")


def test_switches_of_a_dataset_are_this_blocks_own(planner):
    taught = {**GIVEN["taught"], "options": {"test_takes": 15}}
    (audio,) = upstream(planned(planner, taught=taught), "audio")
    (usual,) = upstream(planned(planner), "audio")
    assert audio.settings.options == {"test_takes": 15}
    assert usual.settings.options == {}
    assert planner.audio("fsdd-strings").key == usual.key != audio.key


def test_transcripts_of_one_recogniser_share_a_process(planner):
    found = planned(planner, restores=("carried", "nearest"), taught={**GIVEN["taught"], "seeds": (0,)})
    batched = batches.batches_of(found)
    for batch in {batch.key: batch for batch in batched.values()}.values():
        assert len({cell.inputs["recognise"].path for cell in batch.cells}) == 1
    several = Counter(cell.inputs["recognise"].path for cell in found)
    assert {cell.path for cell in found if several[cell.inputs["recognise"].path] > 1} == set(batched)


def test_planned_hours_count_training(planner):
    from audioprune.planning.cost import CORE_GFLOPS, estimate

    base = upstream(planned(planner), "recognise")[0]
    hours = estimate(base, planner.facts, 100)["core_hours"]
    clips, macs = 2696, 74_588_160 + 2 * 96 * 64 * 19  # of 384 frames; 30 outputs instead of 11, of two heads' one
    assert hours == pytest.approx(prod((2, 3, 4, clips, macs)) / (CORE_GFLOPS * 1e9) / 3600, rel=0.01)


def errors(**changed) -> list[str]:
    config = load()
    return [*recognition(config, "here", Recognition.model_validate({**GIVEN, **changed}), ("fsdd-strings",))]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        (
            {"taught": None, "policies": ("topk",)},
            "here.recognisers.0: 'strips-tiny' has a CTC head: say under `taught`",
        ),
        ({"recognisers": ("whisper-base",)}, "here.recognisers.0: 'whisper-base' is heard as it was published"),
        ({"recognisers": ("wav2vec2-b",)}, "'wav2vec2-b' starts from its official checkpoint: give no base"),
        ({"taught": {"adapted": RECIPE}}, "'strips-tiny' has no checkpoint: give a base"),
        ({"recognisers": ("whisper-base",), "taught": None}, "here.policies.4: 'blank' ranks by a CTC head"),
        ({"taught": {"base": {"epochs": 4}}}, "here.taught.base: batch_size is not valid: Field required"),
        ({"taught": {"base": {**RECIPE, "epoch": 4}}}, "epoch is not valid: .*did you mean 'epochs'"),
        ({"taught": {"base": RECIPE, "adapted": {"epochs": 1, "warmup_epochs": 2}}}, "here.taught.adapted: .*warms up"),
        ({"policies": ("topkk",)}, "here.policies.0: no policy named 'topkk'; did you mean 'topk'?"),
        ({"blocks": ((3, 12),)}, "must be different, rising numbers from 0 to 11"),
        ({"keep_rates": (0.0,)}, "0.0 is not above 0 and at most 1"),
    ],
)
def test_what_is_said_of_a_block(changed, said):
    import re

    found = errors(**changed)
    assert (not found) if not said else any(re.search(said, one) for one in found), found
