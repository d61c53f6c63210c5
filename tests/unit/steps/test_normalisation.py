"""What a model of folded data is normalised by: its own training clips, in every step, and none that it is tested on.

Each fold has its own loudness, so that statistics of other clips than these show in every number.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

import tests.fakes.cells as _cells
from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import write_store
from audioprune.models.perturb import perturb
from audioprune.models.trace import trace as look
from audioprune.settings.data import AudioSettings, FeaturesSettings, UserFolder
from audioprune.settings.evaluation import DiscardSettings, EvaluateSettings, TraceSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, Recipe
from audioprune.steps._run import Job
from audioprune.steps.discard import discard
from audioprune.steps.evaluate import evaluate
from audioprune.steps.features import features
from audioprune.steps.trace import trace
from tests.fakes.tiny_training import FACTS, stores, tuned

FOLD = np.arange(12) % 4 + 1
PRUNING = Pruning(method="topk", keep_rate=0.5)
BY = [("published", 2, FOLD != 2), ("nested", 2, (FOLD != 2) & (FOLD != 3)), ("nested", 4, (FOLD != 4) & (FOLD != 1))]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> dict[str, Path]:
    """Twelve clips in four folds, through the step `features`."""
    folder = tmp_path_factory.mktemp("folded")
    user = UserFolder(folder="x", csv="x.csv", task="keyword", classes=("a", "b", "c"), frames=128, folds=4)
    audio, rng = _cells.cell(folder / "audio", AudioSettings(dataset="mine", user=user)), np.random.default_rng(0)
    rows = [{"clip": f"c{i:02d}", "labels": [i % 3], "fold": int(FOLD[i])} for i in range(12)]
    waves = [(0.3**fold * rng.standard_normal(12000 + 700 * i)).astype(np.float32) for i, fold in enumerate(FOLD)]
    write_store(audio, zip(rows, waves, strict=True))
    (folder / "features").mkdir()
    settings = FeaturesSettings(dataset="mine", frames=128)
    results = features(Job("features", "mine", "k", settings, {"audio": audio}, folder / "features", folder))
    assert results["training_clips"] == 12
    return {"audio": audio, "features": folder / "features"}


def by_hand(data: dict[str, Path], training: np.ndarray) -> tuple[float, float]:
    pixels = np.load(data["features"] / "fbank.npy")[training].astype(np.float64)
    return pixels.mean(), pixels.std()


def finetuned(data: dict[str, Path], folder: Path, split: str, fold: int, pruning: Pruning) -> dict[str, Path]:
    settings = FinetuneSettings(
        model=Model(backbone="audiomae-tiny"), dataset="mine", pruning=pruning, fold=fold, split=split,
        recipe=Recipe(epochs=1, batch_size=4),
    )  # fmt: skip
    cell = _cells.cell(folder / "finetune", settings)
    save_file(_cells.model_of("audiomae-tiny").state_dict(), cell / "last.safetensors")
    return data | {"finetune": cell}


def seen(data: dict[str, Path], rows: np.ndarray, training: np.ndarray) -> torch.Tensor:
    """What a model must be shown of these clips."""
    mean, std = by_hand(data, training)
    x = np.load(data["features"] / "fbank.npy")[rows].astype(np.float64)
    return torch.from_numpy((x - mean) / (2 * std)).float()


@pytest.mark.parametrize(("split", "fold", "training"), BY)
def test_evaluation_and_trace_see_the_training_folds_statistics(data, tmp_path, split, fold, training):
    inputs, test = finetuned(data, tmp_path, split, fold, PRUNING), np.flatnonzero(fold == FOLD)
    x, model = seen(data, test, training), _cells.model_of("audiomae-tiny", method="topk", keep_rate=0.5)
    evaluate(Job("evaluate", "a", "k", EvaluateSettings(pruning=PRUNING), inputs, tmp_path, tmp_path))
    scores = np.stack(list(pd.read_parquet(tmp_path / "predictions.parquet")["scores"]))
    with torch.no_grad():
        np.testing.assert_allclose(scores, model(x).numpy(), atol=1e-4)
        assert np.abs(scores - model(seen(data, test, np.ones(12, bool))).numpy()).max() > 1e-3  # the leak would show
    trace(Job("trace", "a", "k", TraceSettings(pruning=PRUNING), inputs, tmp_path, tmp_path))
    with np.load(tmp_path / "trace.npz") as saved:
        first = saved["score_global_0"]
    np.testing.assert_allclose(first, look(model, x).scores["global"][0].numpy(), rtol=1e-4)


def test_a_threshold_follows_the_normalisation(data, tmp_path):
    """Perturbation and discards label patches by a tau and by edges of the dataset: the same patches as there."""
    inputs, test, training = finetuned(data, tmp_path, "published", 2, PRUNING), np.flatnonzero(FOLD == 2), FOLD != 2
    whole, own = by_hand(data, np.ones(12, bool)), by_hand(data, training)
    raw = np.load(data["features"] / "fbank.npy")[test].astype(np.float64)
    means = raw.reshape(3, 8, 16, 8, 16).mean(axis=(2, 4)).reshape(3, 64)  # log-mel of each patch
    level = np.sort(means.ravel())[100:102].mean()  # between two patches
    tau = (level - whole[0]) / (2 * whole[1])
    own_tau = (level - own[0]) / (2 * own[1])
    settings = EvaluateSettings(pruning=PRUNING, perturbation="II", tau=float(tau), kernel="eager")
    evaluate(Job("evaluate", "a", "k", settings, inputs, tmp_path, tmp_path))
    scores = np.stack(list(pd.read_parquet(tmp_path / "predictions.parquet")["scores"]))
    model = _cells.model_of("audiomae-tiny", method="topk", keep_rate=0.5, kernel="eager")
    perturb(model.pruning.pruner, "II", float(own_tau))
    with torch.no_grad():
        np.testing.assert_allclose(scores, model(seen(data, test, training)).numpy(), atol=1e-4)

    unpruned = finetuned(data, tmp_path / "unpruned", "published", 2, Pruning())
    edges = [float((at - whole[0]) / (2 * whole[1])) for at in (level - 1, level, level + 0.01, level + 1)]
    clusters = tmp_path / "clusters"
    clusters.mkdir()
    (clusters / "record.json").write_text(json.dumps({"results": {"edges": {"mean": [-9, *edges, 9]}}}))
    job = Job("discard", "a", "k", DiscardSettings(blocks=(3,)), unpruned | {"clusters": clusters}, tmp_path, tmp_path)
    discard(job)
    rows = pd.read_parquet(tmp_path / "discarded.parquet")
    left = rows[(rows["discarded"] == "C1C2") & ~rows["control"]]["tokens_left"]
    assert left.tolist() == (means > level).sum(axis=1).tolist()


def test_discards_see_the_training_folds_statistics(data, tmp_path):
    """Edges below all patches: nothing is discarded, and the scores are the model's."""
    user = UserFolder(folder="x", csv="x.csv", task="multilabel", classes=("a", "b", "c"), frames=128, folds=4)
    audio = _cells.cell(tmp_path / "audio", AudioSettings(dataset="mine", user=user))
    for name in ("waveforms.npy", "clips.parquet"):
        (audio / name).symlink_to(data["audio"] / name)
    inputs = finetuned(data, tmp_path, "nested", 4, Pruning()) | {"audio": audio, "clusters": tmp_path / "clusters"}
    inputs["clusters"].mkdir()
    edges = {"edges": {"mean": [-99, -98, -97, -96, -95, 9]}}
    (inputs["clusters"] / "record.json").write_text(json.dumps({"results": edges}))
    discard(Job("discard", "a", "k", DiscardSettings(blocks=(3,), sets=("C1C2",)), inputs, tmp_path, tmp_path))
    rows = pd.read_parquet(tmp_path / "discarded.parquet")
    x = seen(data, np.flatnonzero(FOLD == 4), (FOLD != 4) & (FOLD != 1))
    with torch.no_grad():
        expected = _cells.model_of("audiomae-tiny")(x).numpy()
    np.testing.assert_allclose(np.stack(list(rows[~rows["control"]]["scores"])), expected, atol=1e-4)


def folded(folder: Path, louder: int = 0) -> Path:
    """24 clips in 4 folds, without published statistics; those of one fold by 3 louder."""
    stores(folder, folds=4)
    fbank, clips = np.load(folder / "fbank.npy"), pd.read_parquet(folder / "clips.parquet")
    fbank[clips["fold"] == louder] += 3
    np.save(folder / "fbank.npy", fbank)
    pixels = fbank.reshape(len(fbank), -1).astype(np.float64)
    np.save(folder / "moments.npy", np.stack([pixels.mean(1), np.square(pixels).mean(1)], axis=1))
    return folder


@pytest.mark.parametrize(("split", "louder"), [("published", 2), ("nested", 2), ("nested", 3)])
def test_no_clip_that_is_held_out_changes_a_weight(tmp_path, split, louder):
    """Fold 2 tests, under `nested` fold 3 chooses: what they sound like is in no trained weight."""
    facts = replace(FACTS, folds=4)
    same, other = (
        tuned(folded(tmp_path / name, quiet), tmp_path / f"{name}-out", facts=facts, fold=2, split=split)
        for name, quiet in (("same", 0), ("other", louder))
    )
    assert same["normalised"] == other["normalised"]
    pixels = np.load(tmp_path / "same" / "fbank.npy").astype(np.float64)
    fold = pd.read_parquet(tmp_path / "same" / "clips.parquet")["fold"].to_numpy()
    training = (fold != 2) & ((fold != 3) | (split == "published"))
    assert same["normalised"] == {
        "mean": pytest.approx(pixels[training].mean()), "std": pytest.approx(pixels[training].std())
    }  # fmt: skip
    one, two = (load_file(tmp_path / f"{name}-out" / "last.safetensors") for name in ("same", "other"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_published_statistics_stay_whatever_is_trained_on(tmp_path):
    _, store = stores(tmp_path, folds=4)
    assert store.fitted(np.arange(3)) is store
    assert (store.mean, store.std) == (-6.0, 3.0)


def test_a_value_is_carried_from_one_normalisation_to_the_other():
    values = np.zeros((1, 16, 128))
    one, other = (FeatureStore(values, np.ones(1), mean, std) for mean, std in ((-5.0, 4.0), (-6.0, 2.0)))
    assert other.convert(0.5, one) == (0.5 * 8 - 5 + 6) / 4  # log-mel -1
    assert one.convert(0.1, one) == 0.1  # to the bit


def test_moments_are_left_only_where_no_statistics_are_published(data, tmp_path):
    assert np.load(data["features"] / "moments.npy").shape == (12, 2)
    settings = FeaturesSettings(dataset="mine", frames=128, mean=-6.0, std=3.0)
    features(Job("features", "mine", "k", settings, {"audio": data["audio"]}, tmp_path, tmp_path))
    assert sorted(records.listing(tmp_path)) == ["fbank.npy", "frames.npy", "stats.json"]
