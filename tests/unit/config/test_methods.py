"""Labels of pruning methods: what config.yaml says is what reports print."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune import registry
from audioprune.config import methods
from audioprune.config.methods import Method, examples, label_of, parse_label
from audioprune.errors import UserError
from audioprune.facts import method as facts
from audioprune.labels import method_label
from audioprune.settings.model import Pruning

WORDS = st.from_regex(r"[a-z]\w*", fullmatch=True)


def values(name: str, option: str, default: object) -> st.SearchStrategy:
    """Every value that an option of a method may have."""
    if choices := registry.method(name).choices.get(option):
        return st.sampled_from(choices)
    if isinstance(default, bool):
        return st.booleans()
    return WORDS if isinstance(default, str) else st.integers(0, 10**9)


@given(st.data())
def test_a_label_is_read_as_the_method_that_it_was_printed_for(data):
    name = data.draw(st.sampled_from(registry.names("pruning")))
    given_ = {option: values(name, option, default) for option, default in methods.options_of(name).items()}
    options = data.draw(st.fixed_dictionaries({}, optional=given_))
    label = label_of(name, options)
    assert parse_label(label) == Method(name, options)
    assert label_of(name, parse_label(label).options) == label
    if name != "none":
        constant = {"keep_rate": 1.0} if registry.method(name).is_constant(options) else {"keep_rate": 0.5}
        assert method_label(Pruning(method=name, options=options, **constant)) == label


def test_every_option_of_every_method_is_drawn_above():
    known = {(name, option) for name in registry.names("pruning") for option in methods.options_of(name)}
    assert known == {
        ("topk", "score"), ("intensity", "variant"), ("variation", "variant"), ("random", "seed"), ("tome", "r"),
        ("tome", "proportional"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "name", "options"),
    [
        ("topk", "topk", {}),
        ("topk.cls", "topk", {"score": "cls"}),
        ("topk.global_literal", "topk", {"score": "global_literal"}),
        ("intensity.fixed", "intensity", {"variant": "fixed"}),
        ("variation.as_released", "variation", {"variant": "as_released"}),
        ("tome.r5", "tome", {"r": 5}),
        ("tome.no-proportional.r9", "tome", {"r": 9, "proportional": False}),
        ("tome.r9.proportional", "tome", {"r": 9, "proportional": True}),  # in any order
        ("random.seed3", "random", {"seed": 3}),
        ("none", "none", {}),
    ],
)
def test_labels_as_they_are_written(label, name, options):
    found = parse_label(label)
    assert (found.name, found.options) == (name, options)
    assert {option: type(value) for option, value in found.options.items()} == {
        option: type(value) for option, value in options.items()
    }


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("topkk", "no method named 'topkk'; did you mean 'topk'?"),
        ("topkk.cls", "no method named 'topkk'; did you mean 'topk'?"),
        ("topk.clss", "'topk.clss': topk has no option 'clss'; did you mean 'topk.cls'?"),
        ("intensity.as_realeased", "did you mean 'intensity.as_released'?"),
        ("tome.r5.no-proportionl", "did you mean 'tome.r5.no-proportional'?"),
        ("tome.rr5", "tome has no option 'rr5'; did you mean 'tome.r5'?"),
        ("tome.r", "tome has no option 'r'; did you mean 'tome.r1'?"),
        ("tome.r-5", "tome has no option 'r-5'; did you mean 'tome.r5'?"),
        ("tome.r2.5", "tome has no option 'r2.5'; did you mean 'tome.r2'?"),
        ("random.seed\N{ARABIC-INDIC DIGIT THREE}", "random has no option"),
        ("topk.zzz", "topk has no option 'zzz'; valid names: topk.cls, topk.global, topk.global_literal"),
        ("uniform.cls", "'uniform.cls': uniform has no option 'cls'"),
        ("topk.cls.global", "'topk.cls.global' gives topk's option 'score' twice"),
        ("topk.", "'topk.': topk has no option ''"),
        ("", "no method named ''"),
        ("topk-kr0.5", "no method named 'topk-kr0.5'"),
    ],
)
def test_what_is_no_label_is_answered_with_the_nearest_one(label, message):
    with pytest.raises(UserError, match=re.escape(message)):
        parse_label(label)


def test_options_of_other_kinds(monkeypatch):
    """Numbers with a point, and words without choices, which no method here has."""

    monkeypatch.setattr(methods, "options_of", lambda name: {"axis": "time", "share": 0.5, "soft": False})
    monkeypatch.setattr(registry, "method", lambda name: facts.Method(name=name))
    options = {"axis": "freq", "share": 0.25, "soft": True}
    assert label_of("topk", options) == "topk.freq.share0.25.soft"
    assert parse_label("topk.freq.share0.25.soft").options == options
    assert parse_label("topk.share1e-05.no-soft").options == {"share": 1e-05, "soft": False}
    assert methods.words_of("topk") == ("time", "share0.5", "soft", "no-soft")


def test_examples_are_labels_of_every_method():
    assert {"topk", "topk.cls", "intensity.as_released", "tome.no-proportional", "none"} <= set(examples())
    assert {parse_label(label).name for label in examples()} == set(registry.names("pruning"))
