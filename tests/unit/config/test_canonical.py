"""One computation, one cell: options that a backbone has anyway are left out when cells are planned."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune import registry
from audioprune.config.file import load
from audioprune.config.methods import methods_of
from audioprune.errors import UserError
from audioprune.facts.options import canonical, defaults
from audioprune.labels import canonical_label, method_label, score_of
from audioprune.models.build import build_model
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from audioprune.profiling.macs import count
from audioprune.settings.model import Pruning
from tests import REPOSITORY

CHOICES = {
    "score": ["global", "cls", "global_literal"],
    "variant": ["fixed", "as_released"],
    "seed": [0, 1],
    "r": [0, 9],
    "proportional": [True, False],
}


def canonical_of(backbone: str, method: str, **options) -> dict:
    return canonical(options, registry.get("pruning", method).build, registry.backbone(backbone).family)


@pytest.mark.parametrize(
    ("backbone", "method", "options", "left"),
    [
        ("ast-b", "topk", {"score": "cls"}, {}),
        ("audiomae-b", "topk", {"score": "cls"}, {"score": "cls"}),
        ("audiomae-b", "topk", {"score": "global"}, {}),
        ("ast-mp-b", "topk", {"score": "global"}, {}),
        ("ast-b", "topk", {"score": "global"}, {"score": "global"}),
        ("ast-b", "intensity", {"variant": "fixed"}, {}),
        ("ast-b", "variation", {"variant": "as_released"}, {"variant": "as_released"}),
        ("ast-b", "random", {"seed": 0}, {}),
        ("ast-b", "random", {"seed": 3}, {"seed": 3}),
        ("ast-b", "tome", {"r": 0, "proportional": True}, {"r": 0}),
        ("ast-b", "tome", {"proportional": 1}, {"proportional": 1}),  # 1 is not True: left for `build` to judge
        ("ast-b", "uniform", {"typo": 1}, {"typo": 1}),
    ],
)
def test_what_equals_a_default_goes(backbone, method, options, left):
    assert canonical_of(backbone, method, **options) == left


@settings(deadline=None)
@given(st.data())
def test_leaving_options_out_changes_no_logit(data):
    """Of any backbone and method, with any options: the same model, to the last bit."""
    backbone = data.draw(st.sampled_from([name for name in registry.names("backbones") if name.endswith("-tiny")]))
    method = data.draw(st.sampled_from([name for name in registry.names("pruning") if name != "none"]))
    names = defaults(registry.get("pruning", method).build, registry.backbone(backbone).family)
    named = [name for name in names if data.draw(st.booleans())]
    options = {name: data.draw(st.sampled_from(CHOICES.get(name, [names[name]]))) for name in named}
    x = torch.randn(2, 64, 128, generator=torch.Generator().manual_seed(0))
    shape = {"frames": 64, "num_classes": 3, "width": 16, "num_heads": 2, "depth": 3, "blocks": (0, 1)}
    made = [
        build_model(backbone, method=method, keep_rate=0.7, options=own, **shape).eval()(x)
        for own in (options, canonical_of(backbone, method, **options))
    ]
    assert torch.equal(*made)


def test_methods_that_come_to_the_same_are_one():
    named = ("topk", "topk.cls", "topk.global")
    assert [m.options for m in methods_of("ast-b", named)] == [{}, {"score": "global"}]
    assert [m.options for m in methods_of("audiomae-tiny", named)] == [{}, {"score": "cls"}]


@pytest.mark.parametrize(("study", "evaluations"), [("paper", 3544 - 108 + 318), ("mini", 244 - 12), ("demo", 96)])
def test_no_evaluation_is_planned_under_two_names(monkeypatch, study, evaluations):
    """Counted by hand before: topk and topk.cls of AST, topk and topk.global of AudioMAE were two cells each;
    then the paper's own recipe got six unpruned runs, each evaluated in 53 ways."""
    monkeypatch.setenv("AUDIOPRUNE_DEVICE", "a device")
    planned = study_of(Planner(load(REPOSITORY / "config.yaml")), study)
    assert len(planned.cells("evaluate")) == evaluations
    for cell in planned.all.values():
        tuned = cell.inputs.get("finetune", cell)
        model = getattr(tuned.settings, "model", None)
        for pruning in (getattr(one.settings, "pruning", None) for one in (cell, tuned)):
            if pruning is not None and pruning.options:
                assert canonical_of(model.backbone, pruning.method, **pruning.options) == pruning.options


@pytest.mark.parametrize(
    ("backbone", "label", "own"),
    [
        ("ast-b", "topk.cls", "topk"),
        ("audiomae-b", "topk.cls", "topk.cls"),
        ("audiomae-b", "topk.global.blocks1_4_7", "topk.blocks1_4_7"),
        ("ast-b", "intensity.fixed", "intensity"),
        ("ast-b", "tome.proportional.r9", "tome.r9"),
        ("ast-b", "off the shelf: tome.r9", "off the shelf: tome.r9"),
        ("ast-b", "off the shelf: topk.cls", "off the shelf: topk"),
        ("ast-b", "none", "none"),
    ],
)
def test_labels_in_claims_are_read_as_cells_are_named(backbone, label, own):
    assert canonical_label(backbone, label) == own


def test_the_score_that_ranks_is_said_whoever_names_it():
    assert score_of("ast-b", Pruning(method="topk", keep_rate=0.5)) == "cls"
    assert score_of("audiomae-b", Pruning(method="topk", keep_rate=0.5)) == "global"
    assert score_of("audiomae-b", Pruning(method="topk", keep_rate=0.5, options={"score": "cls"})) == "cls"
    assert score_of("audiomae-b", Pruning(method="random", keep_rate=0.5)) == ""


def test_numbers_in_a_label_have_their_name():
    assert method_label(Pruning(method="random", keep_rate=0.5, options={"seed": 3})) == "random.seed3"


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        ("topk", {"score": "glob"}, "score='glob' is none of global, global_literal, cls"),
        ("intensity", {"variant": True}, "variant=True is none of fixed, as_released"),
        ("random", {"seed": 1.7}, "seed=1.7 is not a whole number from 0 on"),
        ("random", {"seed": True}, "seed=True is not a whole number from 0 on"),
        ("tome", {"r": 20.0}, "r=20.0 is not a whole number from 0 on"),
        ("tome", {"proportional": 0}, "proportional=0 is neither true nor false"),
        ("tome", {"proportional": "no"}, "proportional='no' is neither true nor false"),
    ],
)
def test_values_are_refused_before_anything_is_made(method, options, said):
    """By the closed form of MACs, and by whoever builds a model; the label of a configuration cannot say them."""
    shape = {"frames": 64, "num_classes": 2, "method": method, "keep_rate": 0.5, "options": options}
    with pytest.raises(UserError, match=re.escape(said)):
        count("ast-tiny", **shape)
    with pytest.raises(UserError, match=r"none of|not the number|whole number|neither true"):
        build_model("ast-tiny", **shape)
