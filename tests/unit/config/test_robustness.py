"""What `robustness` may ask, and every mistake in it, with its place and its mend."""

from __future__ import annotations

import pytest

from audioprune.config.asked import asked
from audioprune.config.design import Study
from audioprune.config.file import load
from audioprune.config.robustness import errors_of, twice
from audioprune.config.tested import Robustness
from tests import REPOSITORY

FINE = {"kinds": ("white", "babble"), "babble": "fsdd-digits"}


@pytest.fixture(scope="module")
def config():
    return load(REPOSITORY / "config.yaml")


def told(config, *, study: Study | None = None, **given) -> list[str]:
    def label(place: str, name: str, least: float):
        return iter([f"{place}: no method {name}"] if name == "topq" else [])

    return [*errors_of(config, "here", study or config.studies["mini"], Robustness(**FINE | given), label)]


def test_what_is_right_is_taken(config):
    assert told(config) == []
    assert told(config, kinds=("reverb", "environment"), environment="fsdd-digits", babble=None) == []
    assert told(config, kinds=("other", "gain"), babble=None, datasets=("esc10",), backbones=("ast-tiny",)) == []


MISTAKES = {
    "equal levels": ({"snrs": (10, 0, 10)}, "here.snrs: [10.0, 0.0, 10.0] must be different"),
    "equal kinds": (
        {"kinds": ("white", "babble", "white")},
        "here.kinds: ['white', 'babble', 'white'] must be different",
    ),
    "an infinite level": (
        {"snrs": (float("inf"), 0)},
        "here.snrs: inf is no level in dB; clean clips are always there",
    ),
    "no level": ({"snrs": ()}, "here.snrs: noise needs levels in dB, such as [20, 10, 0]"),
    "reverb without times": (
        {"kinds": ("reverb",), "babble": None, "t60s": ()},
        "here.t60s: the levels of `reverb` are times in seconds, such as [0.3, 0.6, 0.9]",
    ),
    "times without reverb": (
        {"t60s": (0.3,)},
        "here.t60s: levels of `reverb`, which is not among `kinds`: white, babble",
    ),
    "a time of zero": (
        {"kinds": ("reverb",), "babble": None, "t60s": (0.0,)},
        "here.t60s: 0.0 is no reverberation time in seconds, above 0 and below 10",
    ),
    "the control alone": (
        {"kinds": ("gain",), "babble": None},
        "here.kinds: `gain` is the control of noise; name a kind beside it: white, pink, babble, other, environment",
    ),
    "babble of no speech": (
        {"babble": None},
        "here.babble: `babble` on 'esc10' needs a dataset of speech: name one, such as fsdd-digits",
    ),
    "sounds of nowhere": (
        {"kinds": ("white", "environment"), "babble": None, "datasets": ("fsdd-digits",)},
        "here.environment: `environment` on 'fsdd-digits' needs a dataset of other sounds: name one, such as esc10",
    ),
    "an unknown source": (
        {"babble": "fsdd-digit"},
        "here.babble: no dataset named 'fsdd-digit'; did you mean 'fsdd-digits'?",
    ),
    "a source without use": (
        {"kinds": ("white",)},
        "here.babble: 'fsdd-digits' would make `babble`, which is not among `kinds`",
    ),
    "a dataset of no grid": (
        {"datasets": ("esc50",)},
        "here.datasets.0: no dataset in its grids named 'esc50'; did you mean 'esc10'?",
    ),
    "a backbone of no grid": (
        {"backbones": ("ast-b",)},
        "here.backbones.0: no backbone in its grids named 'ast-b'",
    ),
    "unpruned at a keep-rate": (
        {"keep_rates": (1.0, 0.5)},
        "here.keep_rates.0: 1.0 is not above 0 and below 1; the unpruned model is always there",
    ),
    "a keep-rate of no grid": ({"keep_rates": (0.3,)}, "here.keep_rates: no grid trains a model at 0.3 there"),
    "a method of no grid": ({"methods": ("random",)}, "here.methods: no grid trains 'random' there"),
    "noise in training of what no grid trains": (
        {"noise_trained": True, "keep_rates": (0.7,), "datasets": ("esc10",), "backbones": ("ast-tiny",)},
        "here.noise_trained: asks for topk at 0.5, which no grid trains of ast-tiny on esc10",
    ),
    "an unknown method": ({"off_the_shelf": ("topq",)}, "here.off_the_shelf.0: no method topq"),
}


@pytest.mark.parametrize(("given", "message"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_has_one_message(config, given, message):
    (found,) = told(config, **given)
    assert found.startswith(message)


def test_all_mistakes_come_at_once(config):
    found = told(config, snrs=(0, 0), kinds=("white", "environment"), off_the_shelf=("topq",))
    assert [line.split(":")[0] for line in found] == [
        "here.snrs", "here.babble", "here.environment", "here.environment", "here.off_the_shelf.0",
    ]  # fmt: skip


def test_an_unpruned_model_has_to_be_trained(config):
    study = config.studies["mini"]
    pruned = study.model_copy(update={"grids": (study.grids[0].model_copy(update={"keep_rates": (0.5,)}),)})
    found = told(config, study=pruned, kinds=("white",), babble=None, keep_rates=(0.5,))
    assert found[0] == "here: no grid trains audiomae-tiny on fsdd-digits unpruned (keep-rate 1.0), to compare with"
    assert len(found) == 2


def test_second_baselines_and_other_recipes_are_not_asked(config):
    found = [*asked(config.studies["paper"], Robustness())]
    assert found
    assert not any(grid.baseline or grid.recipes for grid, _, _ in found)


def test_a_model_stands_in_one_block(config):
    blocks = (Robustness(**FINE, datasets=("esc10",)), Robustness(kinds=("white",), backbones=("ast-tiny",)))
    study = config.studies["mini"].model_copy(update={"robustness": blocks})
    assert [*twice("robustness", study)] == ["robustness.1: ast-tiny on esc10 stands in robustness.0, too"]
