"""Whose recipe a fine-tuning follows, of config.yaml's own sets and of the cells that the paper study plans."""

from __future__ import annotations

from itertools import product

import pytest

from audioprune import registry
from audioprune.config.file import load
from audioprune.config.recipes import resolve_recipe
from audioprune.planning.plan import Plan
from audioprune.results.recipes_printed import follows
from audioprune.settings.model import Model
from audioprune.settings.training import Augment, FinetuneSettings, Recipe
from tests import REPOSITORY

PUBLISHED = ("spc2", "esc50", "voxceleb1", "as20k")


def tuned(recipes: str, backbone: str, dataset: str, **augment) -> FinetuneSettings:
    recipe, own = resolve_recipe(
        load(REPOSITORY / "config.yaml"), recipes, registry.backbone(backbone).family.name, dataset
    )
    return FinetuneSettings(
        model=Model(backbone=backbone), dataset=dataset, recipe=recipe, augment=own.model_copy(update=augment)
    )


def is_of(s: FinetuneSettings) -> tuple[bool, bool]:
    """P0's, the released scripts'."""
    loss = registry.dataset(s.dataset).loss
    return follows(s, loss, "p0"), follows(s, loss, "p2")


@pytest.mark.parametrize("dataset", PUBLISHED)
def test_each_set_follows_its_own_source_only(dataset):
    """AS-20K: P0 names the masking of another project, which is no number, so nothing tells the two apart."""
    assert is_of(tuned("p0", "audiomae-b", dataset)) == (True, False)
    assert is_of(tuned("p2", "audiomae-b", dataset)) == (dataset == "as20k", True)


def test_what_tells_them_apart():
    """paper.md 1.7: SpecAug on SPC-2, with patch masking on ESC-50, the length of training on VoxCeleb-1."""
    assert is_of(tuned("p2", "audiomae-b", "spc2", specaug_freq=0, specaug_time=0)) == (True, False)
    assert is_of(tuned("p2", "audiomae-b", "esc50", specaug_freq=0, specaug_time=0)) == (False, False)
    assert is_of(tuned("p2", "audiomae-b", "esc50", specaug_freq=0, specaug_time=0, mask_2d=0.0)) == (True, False)


def test_ast_is_trained_alike_by_both():
    for dataset in ("spc2", "esc50"):
        assert is_of(tuned("p0", "ast-b", dataset)) == is_of(tuned("p2", "ast-b", dataset)) == (True, True)


def test_models_that_no_source_trains_follow_both():
    recipe = Recipe(epochs=5, batch_size=8, shrink_start=1, shrink_epochs=2)
    for backbone, dataset in (("audiomae-tiny", "spc2"), ("audiomae-b", "esc10"), ("ast-mp-b", "esc50")):
        s = FinetuneSettings(model=Model(backbone=backbone), dataset=dataset, recipe=recipe, augment=Augment())
        assert is_of(s) == (True, True)


def test_the_paper_study_has_an_unpruned_model_for_every_drop_by_p0s_recipe(monkeypatch):
    """With a seed that AST has too, so that differences of drops pair (P0-1, P0-12)."""
    monkeypatch.chdir(REPOSITORY)
    cells = Plan().study("paper").cells("finetune")
    own = [c.settings for c in cells if is_of(c.settings) == (True, False)]
    found = {(s.dataset, s.pruning.keep_rate, s.fold, s.seed) for s in own}
    assert found == {
        *product(["spc2"], (1.0, 0.9, 0.8, 0.7, 0.6, 0.5), [1], [0]),
        *product(["esc50"], (1.0, 0.9, 0.8, 0.7, 0.6, 0.5), range(1, 6), [12]),
    }
    ast = {
        (s.dataset, s.pruning.keep_rate, s.fold, s.seed) for c in cells if (s := c.settings).model.backbone == "ast-b"
    }
    assert found <= ast
