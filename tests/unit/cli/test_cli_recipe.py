"""`audioprune recipe`: values from paper.md 1.7 and 1.8, and the place of each."""

from __future__ import annotations

import json

import pytest

from audioprune.cli.main import main
from audioprune.settings.training import Augment, Recipe


def told(capsys, *words: str) -> dict[str, dict]:
    """{set: {field: value and place}}."""
    assert main(["recipe", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["recipes"]


def lines(capsys, *words: str) -> list[list[str]]:
    assert main(["recipe", *words]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_the_released_recipe_of_audiomae_on_esc50(capsys):
    (found,) = told(capsys, "audiomae-b", "esc50").values()
    own, common, default = "recipes.p2.audiomae.esc50", "recipes.p2.audiomae.all", "default of Recipe"
    for field, value, place in (
        ("recipe.epochs", 120, own),
        ("recipe.batch_size", 128, own),
        ("recipe.shrink_start", 20, own),
        ("recipe.shrink_epochs", 40, own),
        ("augment.mask_2d", 0.3, own),
        ("augment.specaug_time", 96, own),
        ("augment.baseline", "paper", common),
        ("recipe.layer_decay", 0.75, common),
        ("recipe.betas", [0.9, 0.95], common),
        ("recipe.eval_every", 1, default),
        ("augment.mixup", 0, "default of Augment"),
    ):
        assert found[field] == {"value": value, "from": place}, field
    assert len(found) == len(Recipe.model_fields) + len(Augment.model_fields)


def test_one_field_a_line(capsys):
    head, columns, *rows = lines(capsys, "audiomae-b", "esc50")
    assert " ".join(head) == "audiomae-b on esc50: recipes p2, of the study paper"
    assert columns == ["field", "value", "from"]
    assert rows[0] == ["recipe.epochs", "120", "recipes.p2.audiomae.esc50"]
    assert ["recipe.betas", "[0.9,", "0.95]", "recipes.p2.audiomae.all"] in rows
    assert ["augment.noise", "false", "default", "of", "Augment"] in rows
    assert len(rows) == len(Recipe.model_fields) + len(Augment.model_fields)


def test_what_p0_prints_has_no_mask_on_esc50(capsys):
    found = told(capsys, "audiomae-b", "esc50", "--recipes", "p0")["p0"]
    assert found["augment.mask_2d"] == {"value": 0, "from": "recipes.p0.audiomae.esc50"}
    assert found["recipe.epochs"] == {"value": 120, "from": "recipes.p2.audiomae.esc50"}


def test_a_difference_shows_both_values_and_places(capsys):
    found = told(capsys, "audiomae-b", "esc50", "--recipes", "p0", "--diff", "p2")
    assert {field: own["value"] for field, own in found["p2"].items()} == {
        "augment.mask_2d": 0.3, "augment.specaug_freq": 24, "augment.specaug_time": 96,
    }  # fmt: skip
    assert {own["value"] for own in found["p0"].values()} == {0}
    _, columns, *rows = lines(capsys, "audiomae-b", "voxceleb1", "--recipes", "p0", "--diff", "p2")
    assert columns == ["field", "p0", "from", "p2", "from"]
    assert ["recipe.epochs", "60", "recipes.p0.audiomae.voxceleb1", "90", "recipes.p2.audiomae.voxceleb1"] in rows
    assert ["recipe.min_lr", "1e-06", "recipes.p0.audiomae.voxceleb1", "1e-05", "recipes.p2.audiomae.all"] in rows
    assert len(rows) == 6


@pytest.mark.parametrize("words", [("ast-b", "esc50", "--diff", "p0"), ("ast-b", "esc50", "--diff", "p2")])
def test_sets_that_say_the_same(capsys, words):
    assert lines(capsys, *words)[1:] == [["every", "field", "is", "the", "same"]]


@pytest.mark.parametrize(
    ("backbone", "dataset", "head", "field", "value"),
    [
        ("ast-b", "as20k", "recipes p2, of the study paper", "recipe.warmup_steps", "1000"),
        ("ast-mp-b", "spc2", "recipes p2, of the study paper", "recipe.base_lr", "0.00025"),
        ("ast-tiny", "fsdd-digits", "recipes mini, of the study mini", "recipe.epochs", "12"),
        ("audiomae-tiny", "fsdd-digits", "recipes mini, of the study mini", "recipe.epochs", "24"),
        ("ast-tiny", "demo-sounds", "recipes demo, of the study demo", "recipe.epochs", "5"),
        (
            "ast-tiny",
            "spc2",
            "recipes mini, of the study mini, which does not train it on spc2",
            "recipe.epochs",
            "20",
        ),
    ],
)
def test_without_a_set_it_is_that_of_a_study_that_trains_it(capsys, backbone, dataset, head, field, value):
    first, _, *rows = lines(capsys, backbone, dataset)
    assert " ".join(first) == f"{backbone} on {dataset}: {head}"
    assert dict(row[:2] for row in rows)[field] == value


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("audiomae-bb", "esc50"), "no backbone named 'audiomae-bb'; did you mean 'audiomae-b'?"),
        (("audiomae-b", "esc500"), "no dataset named 'esc500'; did you mean 'esc50'?"),
        (("audiomae-b", "esc50", "--recipes", "dmo"), "no recipes named 'dmo'; did you mean 'demo'?"),
        (("audiomae-b", "esc50", "--diff", "dmo"), "no recipes named 'dmo'; did you mean 'demo'?"),
        (
            ("audiomae-b", "fsdd-digits"),
            "recipes.p2 gives audiomae on 'fsdd-digits' no epochs and no batch_size",
        ),
    ],
)
def test_what_is_not_there(capsys, words, message):
    assert main(["recipe", *words]) == 1
    assert message in capsys.readouterr().err
