"""A fine-tuned model under another pruning than it was trained with: every method, score and place, by the step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import tests.fakes.cells as _cells
from audioprune import registry
from audioprune.audio.features import FeatureStore
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Pruning
from audioprune.steps._run import Job
from audioprune.steps.evaluate import evaluate as step

RATE = 0.6  # 64 -> 39 -> 24 -> 15
OTHERS = [
    *(("audiomae-tiny", {"method": method, "keep_rate": RATE}) for method in registry.names("pruning")),
    *(("ast-tiny", {"method": method, "keep_rate": RATE}) for method in registry.names("pruning")),
    ("audiomae-tiny", {"method": "tome", "options": {"r": 4}}),
    ("ast-tiny", {"method": "tome", "options": {"r": 4, "proportional": False}}),
    ("ast-tiny", {"method": "topk", "keep_rate": RATE, "options": {"score": "global"}}),
    ("audiomae-tiny", {"method": "topk", "keep_rate": RATE, "options": {"score": "cls"}}),
    ("audiomae-tiny", {"method": "topk", "keep_rate": RATE, "blocks": (1, 4, 7)}),
    ("ast-tiny", {"method": "tome", "keep_rate": RATE, "blocks": (1, 4, 7)}),
    ("ast-tiny", {"method": "intensity", "keep_rate": RATE, "options": {"variant": "as_released"}}),
]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Both trained with topk at keep-rate 0.5."""
    trained = Pruning(method="topk", keep_rate=0.5)
    return {
        backbone: _cells.inputs(tmp_path_factory.mktemp(backbone), backbone, trained)
        for backbone in ("audiomae-tiny", "ast-tiny")
    }


def scores(inputs, out, **settings) -> np.ndarray:
    out.mkdir(exist_ok=True)
    results = step(Job("evaluate", "a", "k", EvaluateSettings(**settings), inputs, out, out))
    assert results["n"] == len(_cells.TEST)
    return np.stack(list(pd.read_parquet(out / "predictions.parquet")["scores"]))


@pytest.mark.parametrize(("backbone", "pruning"), OTHERS)
def test_trained_with_one_thing_evaluated_with_another(cells, tmp_path, backbone, pruning):
    own = Pruning(**pruning)
    found = scores(cells[backbone], tmp_path / "one", pruning=own)
    x = FeatureStore.open(cells[backbone]["features"]).fbank(np.array(_cells.TEST))
    model = _cells.model_of(backbone, **pruning)
    with torch.no_grad():
        np.testing.assert_allclose(found, model(x).numpy(), atol=1e-5)
        as_trained = _cells.model_of(backbone, method="topk", keep_rate=0.5)(x).numpy()
    assert np.abs(found - as_trained).max() > 1e-3
    eager = scores(cells[backbone], tmp_path / "eager", pruning=own, kernel="eager")
    np.testing.assert_allclose(found, eager, atol=1e-4)


def test_no_two_of_them_are_the_same(cells):
    x = FeatureStore.open(cells["ast-tiny"]["features"]).fbank(np.array(_cells.TEST))
    found = {}
    with torch.no_grad():
        for backbone, pruning in OTHERS:
            found[backbone, str(pruning)] = _cells.model_of(backbone, **pruning)(x).numpy()
    names = list(found)
    for i, one in enumerate(names):
        for other in names[:i]:
            assert np.abs(found[one] - found[other]).max() > 1e-4, (one, other)


@pytest.mark.parametrize("test", ["I-shuffled", "III-shuffled"])
def test_a_control_of_algorithm_1_is_evaluated(cells, tmp_path, test):
    own = {"pruning": Pruning(method="topk", keep_rate=0.5), "perturbation": test, "tau": 0.0}
    plain = scores(cells["audiomae-tiny"], tmp_path / "plain", pruning=own["pruning"])
    assert np.abs(scores(cells["audiomae-tiny"], tmp_path / "control", **own) - plain).max() > 1e-4
