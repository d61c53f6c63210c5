"""Every step that takes the test clips of a fine-tuning, where these are the second of three folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

import tests.fakes.cells as _cells
from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.models.build import build_model
from audioprune.models.perturb import perturb
from audioprune.settings.evaluation import (
    ClustersSettings,
    DiscardSettings,
    EvaluateSettings,
    TokensSettings,
    TraceSettings,
)
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, Recipe
from audioprune.steps._run import Job
from audioprune.steps.clusters import clusters
from audioprune.steps.discard import discard
from audioprune.steps.evaluate import evaluate
from audioprune.steps.finetune import finetune
from audioprune.steps.tokens import tokens
from audioprune.steps.trace import trace

ROWS = [1, 6, 8, 11]  # by hand: (row + row // 4) % 3 == 1
NAMES = [f"c{row:02d}" for row in ROWS]
HALF = Pruning(method="topk", keep_rate=0.5)


def made(step, folder: Path, settings, inputs: dict[str, Path]) -> Path:
    folder.mkdir(parents=True)
    results = step(Job(step.__name__, "a", "k", settings, inputs, folder, folder / "resume"))
    records.write_json(folder / records.RECORD, {"settings": settings.model_dump(mode="json"), "results": results})
    return folder


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("folds")
    cells = _cells.inputs(root / "half", "audiomae-tiny", HALF, fold=2)
    return cells | {"clusters": made(clusters, root / "clusters", ClustersSettings(dataset="mine", tau=0.0), cells)}


def fbank(cells, rows=ROWS) -> torch.Tensor:
    return FeatureStore.open(cells["features"]).fbank(np.array(rows))


def labels(cells) -> torch.Tensor:
    return torch.tensor([row % 3 for row in range(12)])


def test_the_folds_by_hand(cells):
    assert _cells.FOLDS[2] == ROWS
    assert pd.read_parquet(cells["audio"] / "clips.parquet")["fold"].tolist() == [1, 2, 3, 1, 3, 1, 2, 3, 2, 3, 1, 2]


@pytest.mark.parametrize(("split", "training"), [("published", (1, 3)), ("nested", (1,))])
def test_fine_tuning_learns_from_the_other_folds(cells, tmp_path, split, training):
    """With a learning rate of nearly zero the loss of the epoch is that of the fresh model on its training clips."""
    recipe = Recipe(epochs=1, batch_size=3, base_lr=1e-12, min_lr=0.0, warmup_epochs=0, drop_path=0.0)
    settings = FinetuneSettings(
        model=Model(backbone="audiomae-tiny"), dataset="mine", recipe=recipe, fold=2, split=split, seed=4,
        initial="scratch",
    )  # fmt: skip
    cell = made(finetune, tmp_path / "cell", settings, cells)
    results = records.read(cell)["results"]
    rows = sorted(row for fold in training for row in _cells.FOLDS[fold])
    val = _cells.FOLDS[3] if split == "nested" else []
    assert results["clips"] == {"train": len(rows), "val": len(val), "test": 4}
    fresh = build_model("audiomae-tiny", frames=128, num_classes=3, seed=4).eval()
    with torch.no_grad():
        expected = F.cross_entropy(fresh(fbank(cells, rows)), labels(cells)[rows])
        hits = (fresh(fbank(cells)).argmax(1) == labels(cells)[ROWS]).double().mean()
    assert results["last"]["train_loss"] == pytest.approx(float(expected), rel=1e-5)
    assert results["last"]["test_metric"] == float(hits)


def test_evaluating_tracing_and_analysing_take_the_clips_of_the_fold(cells, tmp_path):
    model = _cells.model_of("audiomae-tiny", method="topk", keep_rate=0.5)
    with torch.no_grad():
        expected = model(fbank(cells)).numpy()
    found = pd.read_parquet(
        made(evaluate, tmp_path / "evaluate", EvaluateSettings(pruning=HALF), cells) / "predictions.parquet"
    )
    assert found["clip"].tolist() == NAMES
    np.testing.assert_allclose(np.stack(found["scores"]), expected, atol=1e-5)
    traced = made(trace, tmp_path / "trace", TraceSettings(pruning=HALF), cells)
    own = pd.read_parquet(traced / "clips.parquet")
    assert (own["clip"].tolist(), own["row"].tolist()) == (NAMES, ROWS)
    signal = (model.pixels(fbank(cells)).mean(2) > 0).sum(1).tolist()
    analysed = made(tokens, tmp_path / "tokens", TokensSettings(), cells | {"trace": traced})
    own = pd.read_parquet(analysed / "clips.parquet")
    assert (own["clip"].tolist(), own["row"].tolist(), own["signal_input"].tolist()) == (NAMES, ROWS, signal)


def test_discarding_takes_the_clips_of_the_fold(cells, tmp_path):
    unpruned = _cells.inputs(tmp_path / "whole", "audiomae-tiny", Pruning(), fold=2)
    whole = cells | {"finetune": unpruned["finetune"]}
    cell = made(discard, tmp_path / "discard", DiscardSettings(blocks=(6,)), whole)
    found = pd.read_parquet(cell / "discarded.parquet")
    low = records.read(cells["clusters"])["results"]["edges"]["mean"][2]
    left = (_cells.model_of("audiomae-tiny").pixels(fbank(cells)).mean(2) > low).sum(1).tolist()
    for _, own in found[found["discarded"] == "C1C2"].groupby("control"):
        assert (own["clip"].tolist(), own["tokens_left"].tolist()) == (NAMES, left)


def test_a_perturbation_without_a_threshold_takes_the_one_read_off_the_pixels(cells, tmp_path):
    """The clusters cell knows two: the one it was given, and the one that it read."""
    tau = records.read(cells["clusters"])["results"]["tau"]
    assert abs(tau["auto"] - tau["given"]) > 0.1
    scores = {}
    for threshold in (None, 0.0):
        settings = EvaluateSettings(pruning=HALF, perturbation="III", tau=threshold)
        found = pd.read_parquet(made(evaluate, tmp_path / str(threshold), settings, cells) / "predictions.parquet")
        model = _cells.model_of("audiomae-tiny", method="topk", keep_rate=0.5)
        perturb(model.pruning.pruner, "III", tau["auto"] if threshold is None else threshold)
        scores[threshold] = np.stack(found["scores"])
        with torch.no_grad():
            np.testing.assert_allclose(scores[threshold], model(fbank(cells)).numpy(), atol=1e-5)
    assert np.abs(scores[None] - scores[0.0]).max() > 1e-3
