"""Pruning settings: what is unpruned, what a constant r leaves out, labels, and keys that stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from audioprune.fingerprints.keys import keyed_settings
from audioprune.labels import label_of
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Pruning


@given(st.sampled_from(["none", "topk", "random", "tome"]), st.sampled_from([{}, {"score": "cls"}, {"seed": 3}]))
def test_keep_rate_1_is_no_pruning_whatever_the_method(method, options):
    assert Pruning(method=method, options=options, keep_rate=1.0, blocks=(1, 2)) == Pruning()
    assert keyed_settings("evaluate", EvaluateSettings(pruning=Pruning(method=method, options=options))) == {}


@pytest.mark.parametrize("more", [{}, {"keep_rate": 1.0}, {"keep_rate": 0.5}, {"keep_rate": 0.3, "blocks": (1, 4)}])
def test_a_constant_r_merges_at_every_keep_rate_and_is_one_cell(more):
    own = Pruning(method="tome", options={"r": 20}, **more)
    assert (own.method, own.keep_rate, own.blocks, label_of(own)) == ("tome", 1.0, (3, 6, 9), "tome.r20-kr1")
    keyed = {"pruning": {"method": "tome", "options": {"r": 20}}}
    assert keyed_settings("evaluate", EvaluateSettings(pruning=own)) == keyed
    assert EvaluateSettings.model_validate(keyed).pruning == own
    assert Pruning(method="none", options={"r": 20}, **more) == Pruning()


def test_labels_and_keys_of_other_cells_stay():
    for settings, label in (
        ({"method": "topk", "keep_rate": 0.7}, "topk-kr0.7"),
        ({"method": "topk", "keep_rate": 0.7, "options": {"score": "cls"}}, "topk.cls-kr0.7"),
        ({"method": "random", "keep_rate": 0.5, "options": {"seed": 3}}, "random.seed3-kr0.5"),
        ({"method": "topk", "keep_rate": 0.5, "blocks": (1, 4, 7)}, "topk.blocks1_4_7-kr0.5"),
        ({"method": "tome", "keep_rate": 0.5}, "tome-kr0.5"),
        ({"method": "tome", "options": {"r": 9, "proportional": False}}, "tome.no-proportional.r9-kr1"),
    ):
        own = Pruning(**settings)
        assert label_of(own) == label
        assert own.model_dump(exclude_defaults=True) == settings


def test_unknown_keys_are_refused_with_r_too():
    with pytest.raises(ValidationError, match="keep_rat"):
        Pruning(method="tome", options={"r": 20}, keep_rat=0.5)
