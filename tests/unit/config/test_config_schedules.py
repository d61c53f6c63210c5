"""What a recipe's epochs never come to is refused while config.yaml is read, by what training itself would do."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
import yaml

from audioprune.config.file import load
from audioprune.config.schedules import never
from audioprune.errors import UserError
from audioprune.settings.training import Augment, Recipe
from audioprune.training.schedules import keep_rate, learning_rate, masks_on
from audioprune.training.splits import rows_of
from tests import REPOSITORY

STEPS = 7  # of an epoch


def recipe(**fields) -> Recipe:
    return Recipe(**{"epochs": 6, "batch_size": 4, "warmup_epochs": 0, "eval_every": 1} | fields)


def said(fields: dict, augment: Augment | None = None, *, about: str) -> bool:
    """Whether something is said of a recipe, that begins so."""
    return any(what.startswith(about) for what in never(recipe(**fields), augment or Augment()))


@pytest.mark.parametrize("granularity", ["epoch", "iteration"])
def test_a_keep_rate_that_training_never_reaches_is_told_and_no_other(granularity):
    """Against the schedule itself: of all recipes of up to six epochs, those whose last epoch is not pruned enough."""
    for epochs, start, length, first in product(range(1, 7), range(5), range(4), (0, 1)):
        fields = {"epochs": epochs, "shrink_start": start, "shrink_epochs": length, "first_epoch": first}
        own = recipe(**fields, shrink_granularity=granularity)
        last = [keep_rate(own, 0.5, epochs - 1 + step / STEPS) for step in range(STEPS)]
        assert said(fields, about="the keep-rate reaches its target") == (last != [0.5] * STEPS), fields


def test_a_warm_up_that_is_not_over_before_the_end_is_told():
    for epochs, warmup in product(range(1, 5), (0, 0.5, 1, 2, 3, 4, 9)):
        own = recipe(epochs=epochs, warmup_epochs=warmup, schedule="constant", base_lr=1.0)
        peak = max(learning_rate(own, step / STEPS, STEPS) for step in range(epochs * STEPS))
        assert said({"epochs": epochs, "warmup_epochs": warmup}, about="the learning rate warms up") == (peak < 1)


def test_a_step_schedule_that_never_steps_is_told():
    for epochs, start in product(range(1, 6), range(6)):
        own = recipe(epochs=epochs, schedule="step", step_start=start, base_lr=1.0)
        rates = {learning_rate(own, epoch, STEPS) for epoch in range(epochs)}
        fields = {"epochs": epochs, "schedule": "step", "step_start": start}
        assert said(fields, about="the step schedule first decays") == (rates == {1.0}), fields


@pytest.mark.parametrize(
    "masked", [{"specaug_freq": 8}, {"mask_2d": 0.3}, {"specaug_time": 8, "specaug_off": "as_released"}]
)
def test_masks_that_never_act_are_told(masked):
    augment = Augment(**masked)
    for start, first in product(range(4), (0, 1)):
        own = recipe(shrink_start=start, first_epoch=first)
        acts = [masks_on(own, augment, 0.5, epoch)["mask_2d" in masked] for epoch in range(own.epochs)]
        told = any("act before the keep-rate begins" in what for what in never(own, augment))
        assert told == (not any(acts)), (start, first)


def test_evaluations_that_never_come_are_told():
    assert [said({"epochs": 6, "eval_every": every}, about="eval_every") for every in (0, 1, 6, 7)] == [
        False, False, False, True
    ]  # fmt: skip


def test_pre_training_has_no_keep_rate():
    own = recipe(epochs=2, shrink_start=5, shrink_epochs=5)
    assert list(never(own, Augment(mask_2d=0.3), prunes=False)) == []


@pytest.fixture
def refused(tmp_path):
    """What is said of config.yaml after an edit of its parsed content."""

    def of(edit) -> list[str]:
        data = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
        edit(data)
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(data))
        with pytest.raises(UserError) as error:
            load(tmp_path / "config.yaml")
        return str(error.value).splitlines()[1:]

    return of


def test_a_model_that_would_never_be_pruned_in_training_is_an_error(refused):
    def spoil(data):
        own = data["recipes"]["demo"]["audiomae"]["all"]["recipe"]
        own |= {"epochs": 2, "shrink_start": 5, "shrink_epochs": 5, "warmup_epochs": 9}

    found = refused(spoil)
    words = [line.strip() for line in found if "recipes.demo.audiomae on 'demo-words':" in line]
    assert len(words) == 2  # each once, however many grids train it
    assert "reaches its target in epoch 10 counted from 0" in words[0]
    assert "but the last of 2 epochs is 1" in words[0]
    assert "warms up for 9 epochs of 2, and never reaches its peak" in words[1]


def test_a_warm_up_of_pre_training_is_looked_at_too(refused):
    (line,) = refused(lambda data: data["pretraining"]["tiny"]["recipe"].update(warmup_epochs=8, epochs=8))[:1]
    assert "pretraining.tiny.families.ast: the learning rate warms up for 8 epochs of 8" in line


GRID = ("studies", "demo", "grids", 0)
TOLD = ("recipes", "demo", "audiomae", "all", "recipe")
WRONG = {
    "a block that no backbone has": (GRID, {"blocks": [3, 12]}, "grids.0.blocks: [3, 12] are not different, rising"),
    "a negative seed": (GRID, {"seeds": [-1]}, "grids.0.seeds.0: Input should be greater than or equal to 0"),
    "fold zero": (GRID, {"folds": [0]}, "grids.0.folds.0: Input should be greater than or equal to 1"),
    "a fold too many": (GRID, {"folds": [2]}, "grids.0.folds: 2 is more than the 1 of 'demo-words'"),
    "weights that nothing validates": (
        ("studies", "mini"), {"selections": ["last", "best_val"]},
        "mini.grids.1.split: the study's `selections` name best_val, and 'esc10' tests one of its 5 folds",
    ),
    "no keep-rate": (GRID, {"keep_rates": []}, "grids.0.keep_rates: is empty, so nothing would be made of it"),
    "no dataset": (GRID, {"datasets": []}, "grids.0.datasets: is empty"),
    "no warm-up before timing": (GRID[:2], {"throughput": {"warmup": 0}}, "throughput.warmup: Input should be"),
    "a batch of nothing": (GRID[:2], {"throughput": {"batch_size": {"all": 0}}}, "batch_size.all: Input should be"),
    "a batch of no dataset": (GRID[:2], {"throughput": {"batch_size": {"esc5": 8}}}, "did you mean 'esc50'?"),
    "evaluations at no block": (GRID[:2], {"evaluations": {"blocks": [[6, 3]]}}, "evaluations.blocks.0: [6, 3] are"),
    "nothing to discard after": (GRID[:2], {"evaluations": {"discard": [12]}}, "evaluations.discard: [12] are not"),
    "a decay every 0 epochs": (
        TOLD, {"schedule": "step", "step_every": 0}, "step_every (value: 0)",
    ),
    "a moving average that grows": (TOLD, {"betas": [0.9, 2]}, "betas.1"),
    "all patches hidden": (("pretraining", "tiny", "families", "audiomae"), {"mask_ratio": 2}, "audiomae.mask_ratio"),
    "a generator of no name": (("generators",), {"wordz": {"clips": 3}}, "did you mean 'words'?"),
}  # fmt: skip


@pytest.mark.parametrize(("place", "change", "message"), WRONG.values(), ids=WRONG)
def test_values_that_no_job_could_work_with(refused, place, change, message):
    def spoil(data):
        for key in place:
            data = data[key]
        data.update(change)

    assert any(message in line for line in refused(spoil))


def test_a_dataset_whose_generator_has_no_size(refused):
    found = refused(lambda data: data["generators"].pop("words"))
    assert any("'demo-words' is made by the generator 'words', which `generators` gives no clips" in e for e in found)


@pytest.mark.parametrize("name", ["my data", "a{b}", "../up", "-", "1a", "a²", "-demo", "demo-"])
def test_names_of_studies_that_are_no_folder_or_rule(refused, name):
    found = refused(lambda data: data["studies"].update({name: data["studies"]["demo"]}))
    assert f"studies.{name}: a study's name is letters, digits and hyphens" in found[0]


@pytest.mark.parametrize("folds", [2, 3])
@pytest.mark.parametrize("split", ["published", "nested"])
def test_best_val_is_refused_where_a_split_leaves_no_validation_clips(refused, folds, split):
    """Of a folder with folds, against the split itself."""
    clips = pd.DataFrame({"clip": [*"abc"], "recording": "", "fold": np.arange(3) % folds + 1, "split": ""})
    try:
        validates = len(rows_of(clips, folds=folds, split=split).val) > 0
    except UserError:
        validates = False

    def change(data):
        data["datasets"] = {
            "own": {
                "folder": "f",
                "csv": "c.csv",
                "task": "keyword",
                "classes": ["a", "b"],
                "frames": 96,
                "folds": folds,
            }
        }
        data["studies"]["demo"]["selections"] = ["best_val"]
        data["studies"]["demo"]["grids"] += [{"backbones": ["ast-tiny"], "datasets": ["own"], "split": split}]
        data["studies"]["demo"]["grids"][0]["blocks"] = [3, 12]  # wrong by itself

    assert any(".split: " in line and "'own'" in line for line in refused(change)) == (not validates)
