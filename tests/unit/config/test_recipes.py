"""Recipe sets: what a part is laid over, and what is refused."""

from __future__ import annotations

import re
from functools import cache

import pytest

from audioprune.config.checks import errors_of
from audioprune.config.design import Config
from audioprune.config.file import load
from audioprune.config.recipes import layers, resolve_evaluations, resolve_pretraining, resolve_recipe, said
from audioprune.errors import UserError

BASE = {"epochs": 10, "batch_size": 8}


@cache
def shipped() -> Config:
    return load()


def configured(recipes: dict, **more: dict) -> Config:
    """The shipped configuration with other recipe sets, and without studies."""
    data = {"generators": {}, "recipes": recipes, "studies": {}, **more}
    return Config.model_validate(data)


def places(config: Config, recipes: str, family: str, dataset: str) -> list[str]:
    return [layer.place for layer in layers(config.recipes, recipes, family, dataset)]


def test_a_part_lies_over_the_same_part_of_the_set_that_is_extended():
    config = configured(
        {
            "low": {"audiomae": {"all": {"recipe": BASE}, "esc50": {"recipe": {"epochs": 20, "min_lr": 0.5}}}},
            "mid": {"extends": "low", "audiomae": {"all": {"recipe": {"epochs": 30, "batch_size": 16}}}},
            "top": {"extends": "mid", "audiomae": {"esc50": {"recipe": {"min_lr": 0}, "augment": {"mixup": 0.5}}}},
        }
    )
    assert places(config, "top", "audiomae", "esc50") == [
        "recipes.low.audiomae.all",
        "recipes.mid.audiomae.all",
        "recipes.low.audiomae.esc50",
        "recipes.top.audiomae.esc50",
    ]
    recipe, augment = resolve_recipe(config, "top", "audiomae", "esc50")
    assert (recipe.epochs, recipe.batch_size, recipe.min_lr) == (20, 16, 0)  # the dataset's part is over `all`
    assert augment.mixup == 0.5
    assert resolve_recipe(config, "mid", "audiomae", "spc2")[0].epochs == 30
    assert resolve_recipe(config, "low", "audiomae", "esc50")[0].min_lr == 0.5


def test_a_family_of_a_set_may_be_like_another():
    config = configured(
        {
            "low": {"audiomae": {"all": {"recipe": BASE}}, "ast": {"like": "audiomae"}},
            "top": {
                "extends": "low",
                "audiomae": {"esc10": {"recipe": {"epochs": 3, "batch_size": 4}}},
                "ast": {"esc10": {"recipe": {"epochs": 2}}},
            },
        }
    )
    recipe, _ = resolve_recipe(config, "top", "ast", "esc10")
    assert (recipe.epochs, recipe.batch_size) == (2, 4)
    assert resolve_recipe(config, "top", "audiomae", "esc10")[0].epochs == 3
    assert places(config, "top", "ast-mp", "esc10")[-1] == "recipes.top.ast.esc10"  # by the facts, which it is like
    assert said(config, "top", "ast", "esc10")["recipe.batch_size"].place == "recipes.top.audiomae.esc10"


def test_a_set_without_a_block_for_a_family_has_no_layers():
    assert layers(configured({"low": {"audiomae": {"all": {"recipe": BASE}}}}).recipes, "low", "ast", "esc10") == []


@pytest.mark.parametrize(
    ("recipes", "message"),
    [
        (
            {"a": {"extends": "c"}, "b": {"extends": "a"}, "c": {"extends": "b"}},
            "recipes.a.extends refers to itself: a -> c -> b -> a",
        ),
        ({"a": {"extends": "a"}}, "recipes.a.extends refers to itself: a -> a"),
        ({"p2": {}, "p0": {"extends": "p22"}}, "recipes.p0.extends: no recipes named 'p22'; did you mean 'p2'?"),
        (
            {"a": {"ast": {"like": "audiomae"}, "audiomae": {"like": "ast"}}},
            "recipes.a.ast.like refers to itself: ast -> audiomae -> ast",
        ),
        (
            {"a": {"ast": {"like": "audiomae"}}},
            "recipes.a.ast.like: no family of this set named 'audiomae'; valid names: ast",
        ),
        (
            {"a": {"audiomae": {"esc500": {}}}},
            "recipes.a.audiomae.esc500: no dataset named 'esc500'; did you mean 'esc50'?",
        ),
        (
            {"a": {"audiomaee": {}}},
            "recipes.a.audiomaee: no backbone family named 'audiomaee'; did you mean 'audiomae'?",
        ),
    ],
)
def test_what_leads_nowhere_is_refused(recipes, message):
    assert message in errors_of(configured(recipes))


def test_a_circle_of_probes_is_refused():
    config = configured({}, evaluations={"a": {"extends": "b"}, "b": {"extends": "a"}})
    assert "evaluations.a.extends refers to itself: a -> b -> a" in errors_of(config)


def test_p0_differs_from_p2_in_what_table_6_prints():
    differing = {
        dataset: {
            field: (p0.value, p2.value)
            for (field, p0), p2 in zip(
                said(shipped(), "p0", "audiomae", dataset).items(), said(shipped(), "p2", "audiomae", dataset).values()
            )
            if p0.value != p2.value
        }
        for dataset in ("spc2", "esc50", "voxceleb1", "as20k")
    }
    specaug = {"augment.specaug_freq": (0, 48), "augment.specaug_time": (0, 192)}
    assert differing == {
        "spc2": {"augment.specaug_freq": (0, 48), "augment.specaug_time": (0, 48)},
        "esc50": {"augment.mask_2d": (0, 0.3), "augment.specaug_freq": (0, 24), "augment.specaug_time": (0, 96)},
        "voxceleb1": {
            "recipe.epochs": (60, 90),
            "recipe.min_lr": (1e-6, 1e-5),
            "recipe.shrink_start": (10, 20),
            "recipe.shrink_epochs": (20, 40),
        }
        | specaug,
        "as20k": {"augment.mask_2d": (0.2, 0.3)},
    }
    for dataset in ("spc2", "esc50", "as20k"):
        assert resolve_recipe(shipped(), "p0", "ast", dataset) == resolve_recipe(shipped(), "p2", "ast", dataset)


def test_families_of_a_pretraining_share_a_recipe():
    plan, recipe, augment = resolve_pretraining(shipped().pretraining["tiny"], "ast-mp")  # as AST, which it is like
    assert (plan.objective, recipe.epochs, recipe.batch_size, recipe.weight_decay) == ("supervised", 4, 16, 0.05)
    assert augment.mask_2d == 0.3
    _, own, _ = resolve_pretraining(shipped().pretraining["tiny"], "audiomae")
    assert (own.epochs, own.batch_size, own.base_lr) == (4, 16, 2e-3)


def test_a_pretraining_without_epochs_is_refused():
    plan = {"corpus": {"generator": "corpus", "clips": 1}, "recipe": {"batch_size": 1}}
    config = configured({}, pretraining={"short": {**plan, "families": {"ast": {"objective": "supervised"}}}})
    assert errors_of(config) == ["pretraining.short.families.ast.recipe: no epochs"]


def test_probes_of_a_study_take_what_they_do_not_give_from_the_set_that_they_extend():
    found = resolve_evaluations(shipped(), shipped().studies["paper"].evaluations)
    assert (found.matrix, found.blocks, found.discard) == (True, ((1, 4, 7), (2, 5, 8)), tuple(range(12)))
    assert found.off_the_shelf[-2:] == ("tome", "tome.r9")
    assert resolve_evaluations(shipped(), shipped().studies["demo"].evaluations).off_the_shelf[-1] == "tome.r5"
    chained = configured(
        {},
        evaluations={
            "a": {"matrix": True, "discard": [1]},
            "b": {"extends": "a", "discard": [2]},
            "c": {"extends": "b"},
        },
    )
    assert resolve_evaluations(chained, chained.evaluations["c"]).model_dump(exclude_defaults=True) == {
        "matrix": True,
        "discard": (2,),
    }


@pytest.mark.parametrize("word", ["like", "all"])
def test_no_dataset_of_the_user_has_the_name_of_a_key_of_recipes(word):
    user = {"folder": "x", "csv": "x.csv", "task": "keyword", "classes": ["a", "b"], "frames": 128}
    assert f"datasets.{word}: this name is taken; choose another" in errors_of(configured({}, datasets={word: user}))


def test_a_mistake_deep_in_a_set_is_answered_with_the_nearest_key(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("recipes: {p2: {audiomae: {esc50: {recipee: {}}}}}\nstudies: {}\n")
    said_ = re.escape("recipes.p2.audiomae.esc50.recipee: unknown key; did you mean 'recipe'?")
    with pytest.raises(UserError, match=said_):
        load(path)
