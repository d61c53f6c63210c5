import ast
from dataclasses import replace

import pytest

from audioprune.cells.kinds import KINDS
from audioprune.fingerprints import fingerprint as fp
from audioprune.fingerprints.syntax import serialise


def digest(text: str) -> str:
    return serialise(ast.parse(text))


BASE = "import math\n\ndef area(r):\n    return math.pi * r**2\n"


@pytest.mark.parametrize(
    "same",
    [
        BASE + "\n# a comment\n",
        '"""A module docstring."""\n' + BASE,
        'import math\ndef area(r):\n    """Area."""\n    return (math.pi\n            * r ** 2)\n',
    ],
)
def test_comments_docstrings_and_layout_change_nothing(same):
    assert digest(same) == digest(BASE)


@pytest.mark.parametrize(
    "changed",
    [
        BASE.replace("**2", "**3"),
        BASE.replace("pi", "e"),
        BASE.replace("area(r)", "area(r, s=1)"),
        BASE + "area(1)\n",
        BASE.replace("return", "x ="),
    ],
)
def test_every_change_of_meaning_is_seen(changed):
    assert digest(changed) != digest(BASE)


def test_serialisation_is_the_same_text_on_every_python():
    # Recorded once: no field that only some versions of Python have (type_params, kind) may appear.
    assert digest("def f(x: int = 1) -> str:\n    return f'{x}a'") == (
        "Module(body=[FunctionDef(name='f',args=arguments(args=[arg(arg='x',annotation=Name(id='int',ctx=Load()))],"
        "defaults=[Constant(value=1)]),body=[Return(value=JoinedStr(values=[FormattedValue(value=Name(id='x',ctx=Load())"
        ",conversion=-1),Constant(value='a')]))],returns=Name(id='str',ctx=Load()))])"
    )


def test_closure_follows_function_level_imports_and_leaves_declared_out_modules_out():
    found = fp.closure(("audioprune.steps.finetune",))
    assert "audioprune.training.loop" in found
    assert "audioprune.audio.fbank" in found
    assert not {"audioprune.records", "audioprune.settings", "audioprune.steps._run", "audioprune.config"} & set(found)


def test_only_the_named_plugins_enter():
    named = fp.closure(("audioprune.steps.finetune", "audioprune.pruning.topk", "audioprune.backbones.ast"))
    assert "audioprune.pruning.topk" in named
    assert "audioprune.backbones.ast" in named
    others = {"audioprune.pruning.random", "audioprune.pruning.intensity", "audioprune.backbones.audiomae"}
    assert not others & set(named)
    assert not any(module.startswith("audioprune.datasets.esc") for module in named)


INFERENCE = {  # step: what it alone does to a trained model
    "evaluate": ("models.perturb", "statistics.metrics"),
    "trace": ("models.trace", "tokens.trace"),
    "durations": ("models.native", "tokens.lengths", "audio.cuts"),
    "discard": ("models.discard", "tokens.discard", "models.random_order"),
    "noisy": ("models.recording", "tokens.under_noise", "audio.disturbed", "audio.noise_of"),
}


@pytest.mark.parametrize("kind", ["pretrain", "finetune"])
def test_what_only_inference_does_reruns_no_training(kind):
    """However the cell is trained: pruned by attention, ranked by a statistic, or not at all."""
    roots = [f"audioprune.steps.{kind}", "audioprune.backbones.ast", "audioprune.backbones.audiomae"]
    trained = set(
        fp.closure((*roots, *(f"audioprune.pruning.{name}" for name in ("none", "topk", "intensity", "tome"))))
    )
    for step, modules in INFERENCE.items():
        names = {f"audioprune.{module}" for module in modules}
        assert names <= set(fp.closure((f"audioprune.steps.{step}",)))
        assert names & trained <= {"audioprune.statistics.metrics"}  # training chooses epochs by it
    others = {"audioprune.tokens", "audioprune.profiling", "audioprune.results", "audioprune.exhibits"}
    assert not {module for module in trained if module.rpartition(".")[0] in others}


def test_a_pruning_method_reruns_the_trainings_that_name_it():
    plain = ("audioprune.steps.finetune", "audioprune.backbones.ast")
    for method, needs in (("uniform", "dithering"), ("random", "random_order"), ("variation", "statistic")):
        assert f"audioprune.models.{needs}" not in fp.closure(plain)
        assert f"audioprune.models.{needs}" in fp.closure((*plain, f"audioprune.pruning.{method}"))


def test_hand_kept_version_enters(monkeypatch):
    before = fp.digest("finetune", [("a", "1")])
    monkeypatch.setitem(KINDS, "finetune", replace(KINDS["finetune"], version=2))
    assert fp.digest("finetune", [("a", "1")]) != before
