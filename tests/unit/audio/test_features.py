"""The feature store and its step: rows, padding, statistics, and reading back normalised."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from audioprune.audio.fbank import log_mel
from audioprune.audio.features import FeatureStore, mean_std
from audioprune.audio.store import WaveformStore, write_store
from audioprune.errors import UserError
from audioprune.settings.data import FeaturesSettings
from audioprune.steps._run import Job
from audioprune.steps.features import features, training_rows

LENGTHS = [4000, 20000, 8000, 300, 12000]


@pytest.fixture
def audio(tmp_path) -> Path:
    def clips():
        rng = np.random.default_rng(0)
        for i, length in enumerate(LENGTHS):
            split = ("train", "test")[i % 2]
            yield {"clip": str(i), "labels": (0,), "split": split}, (0.1 * rng.standard_normal(length)).astype("f4")

    write_store(tmp_path / "audio", clips())
    return tmp_path / "audio"


def job(audio: Path, out: Path, **settings) -> Job:
    out.mkdir()
    chosen = FeaturesSettings(dataset="made", frames=64, **settings)
    return Job("features", "made", "k", chosen, {"audio": audio}, out, out / "resume")


def test_store_holds_the_front_end_of_every_clip(audio, tmp_path):
    results = features(job(audio, tmp_path / "out"))
    store, waveforms = FeatureStore.open(tmp_path / "out"), WaveformStore.open(audio)
    assert len(store) == 5
    assert store.values.shape == (5, 64, 128)
    assert store.values.dtype == np.float32
    for i in range(5):
        x, natural = log_mel(torch.from_numpy(waveforms.waveform(i))[None], None, 64)
        assert torch.allclose(store.raw([i]), x, atol=1e-4)
        assert store.frames[i] == natural.item()
    assert store.frames.tolist() == [23, 123, 48, 1, 73]
    assert store.frames.dtype == np.int32
    assert (results["clips"], results["padded_clips"], results["cut_clips"]) == (5, 3, 2)
    assert results["cut_share"] == pytest.approx((59 + 9) / (23 + 123 + 48 + 1 + 73))
    assert results["padded_share"] == pytest.approx((41 + 16 + 63) / 64 / 5)


def test_statistics_are_over_the_training_clips_with_their_padding(audio, tmp_path):
    results = features(job(audio, tmp_path / "out"))
    values = np.load(tmp_path / "out" / "fbank.npy")[[0, 2, 4]].astype(np.float64)
    stats = json.loads((tmp_path / "out" / "stats.json").read_text())
    assert stats == {"mean": pytest.approx(values.mean(), rel=1e-10), "std": pytest.approx(values.std(), rel=1e-10)}
    assert results["training_clips"] == 3
    assert results["mean"] == stats["mean"]


def test_given_statistics_normalise_and_measured_ones_are_reported(audio, tmp_path):
    results = features(job(audio, tmp_path / "out", mean=-6.5, std=5.25))
    store = FeatureStore.open(tmp_path / "out")
    assert (store.mean, store.std) == (-6.5, 5.25)
    assert torch.allclose(store.fbank([3, 1]), (store.raw([3, 1]) + 6.5) / 10.5)
    train = store.values[[0, 2, 4]].astype(np.float64)
    assert results["measured_mean"] == pytest.approx(train.mean())
    assert results["mean"] == -6.5


def test_half_given_statistics_are_refused(audio, tmp_path):
    with pytest.raises(UserError, match="both mean and std"):
        features(job(audio, tmp_path / "out", mean=-6.5))


def test_same_bytes_whatever_the_workers_and_batches_hold(audio, tmp_path, monkeypatch):
    features(job(audio, tmp_path / "a"))
    monkeypatch.setattr("audioprune.audio.features.WORKERS", 1)
    features(job(audio, tmp_path / "b"))
    for name in ("fbank.npy", "frames.npy", "stats.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    monkeypatch.setattr("audioprune.audio.features.BATCH_FRAMES", 128)  # two clips a batch
    features(job(audio, tmp_path / "c"))
    assert np.allclose(np.load(tmp_path / "a" / "fbank.npy"), np.load(tmp_path / "c" / "fbank.npy"), atol=1e-4)


def test_mean_std_of_moments():
    values = np.random.default_rng(0).normal(-7, 5, (6, 40))
    moments = np.stack([values.mean(1), np.square(values).mean(1)], axis=1)
    mean, std = mean_std(moments, np.array([1, 4]))
    assert mean == pytest.approx(values[[1, 4]].mean())
    assert std == pytest.approx(values[[1, 4]].std())
    assert math.isclose(mean_std(np.array([[-7.0, 49.0]]), np.array([0]))[1], 0.0)


def test_training_rows():
    import pandas as pd

    fixed = pd.DataFrame({"split": ["train", "val", "test", "train"], "fold": 0})
    assert training_rows(fixed).tolist() == [0, 3]
    folded = pd.DataFrame({"split": "", "fold": [1, 2, 3]})
    assert training_rows(folded).tolist() == [0, 1, 2]
    neither = pd.DataFrame({"split": ["", ""], "fold": 0})
    assert training_rows(neither).tolist() == [0, 1]
