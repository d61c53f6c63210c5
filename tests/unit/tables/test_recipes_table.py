"""Table 6: the recipes that ran, beside P0's and the released ones."""

from __future__ import annotations

import pytest

from audioprune.config.file import load
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from audioprune.results import recipes_printed
from audioprune.results.study import Results
from audioprune.tables import recipes
from tests.fakes.ablations import ablations
from tests.fakes.studies import shared


def rows(results, backbones: str, recipe: int = 1) -> dict[str, dict]:
    found = (row.cells for row in recipes.build(results).rows)
    return {c["setting"]: c for c in found if (c["backbones"], c["recipe"]) == (backbones, recipe)}


def test_published_values_that_differ_stand_beside_ours():
    own = rows(shared(), "audiomae-b")
    assert own["epochs"]["spc2"] == "6 (P0† 90; R 90)"
    assert own["batch_size"]["spc2"] == "32 (P0† 256; R 512)"  # R: 256 on each of two GPUs
    assert own["shrink_start"]["spc2"] == "1 (P0† 10; R 10)"
    assert own["layer_decay"]["spc2"] == "0.75"  # the same in both
    assert own["min_lr"]["spc2"] == "1e-5"
    assert own["noise"]["spc2"] == "off (R on)"
    assert own["mask_2d"]["spc2"] == "0"  # P0: none, R: 0.0
    assert (own["epochs"]["spc2 P0"], own["epochs"]["spc2 R"]) == ("90", "90")


def test_a_note_counts_what_differs_and_says_that_p0_is_withdrawn():
    table = recipes.build(shared())
    cells = [text for row in table.rows for key, text in row.cells.items() if key == "spc2"]
    differing = sum(text.count("P0† ") + text.count("R ") for text in cells if "(" in text)
    assert table.notes[0].startswith(f"{differing} of ")
    assert "withdrawn" in table.status


def test_backbones_trained_alike_share_their_lines():
    table = recipes.build(ablations())
    assert [row.group for row in table.rows if row.cells["setting"] == "epochs"] == [
        "audiomae-tiny, ast-tiny, ast-mp-tiny"
    ]
    assert table.notes == (
        "No published recipe exists for these backbones and datasets: the study's recipes are its own.",
        recipes.FURTHER,
    )


def test_of_a_second_recipe_only_what_differs_is_shown():
    own = rows(ablations(), "audiomae-tiny", 2)
    assert list(own) == ["baseline"]
    assert own["baseline"]["esc10"] == "paper"


def test_the_papers_study_runs_the_released_recipes():
    """Where the released scripts and P0 agree with the study nothing stands in brackets."""
    study = study_of(Planner(load()), "paper")
    own = rows(Results("paper", study.cells("finetune")), "audiomae-b")
    assert own["epochs"]["voxceleb1"] == "90 (P0† 60)"
    assert own["mask_2d"]["esc50"] == "0.3 (P0† none)"
    assert own["batch_size"]["esc50"] == "128 (P0† 64)"
    assert own["base_lr"]["as20k"] == "0.001"
    assert not any("R " in text for c in own.values() for d in ("spc2", "esc50", "as20k") if (text := c[d]))
    second = rows(Results("paper", study.cells("finetune")), "audiomae-b", 2)
    assert "specaug_freq" in second  # P0 prints none


@pytest.mark.parametrize(
    ("own", "printed", "equal"),
    [
        (True, "on", True),
        (False, "on", False),
        (1e-5, "0.00001", True),
        (0.0, "none", True),
        (0.3, "none", False),
        ("adamw", "AdamW", True),
    ],
)
def test_same(own, printed, equal):
    assert recipes_printed.same(own, printed) is equal


def test_settings_that_are_not_used_are_left_out():
    (r,) = [r for r in shared().cells("finetune") if r.address.startswith("audiomae-b/spc2/none")]
    own = recipes_printed.ours(r.settings, "ce")
    assert (own["beta1"], own["beta2"], own["precision_train"], own["loss"]) == (0.9, 0.95, "fp32", "ce")
    assert not {"step_start", "warmup_steps", "betas", "tie"} & set(own)
