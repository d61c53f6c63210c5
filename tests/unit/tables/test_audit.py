"""Token selections whose signal is known (specification 6.1): oracles, blind selections, and the audit's rows.

Generated sounds go through the real front end and the real models; the oracle is a pruner that ranks by the labels.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import Tensor

from audioprune.audio.features import FeatureStore
from audioprune.audio.patches import to_tokens
from audioprune.audio.store import WaveformStore
from audioprune.audio.truth import signal_patches
from audioprune.models.build import build_model
from audioprune.models.pruner import Pruner, Pruning, View
from audioprune.tokens.audit import audit, by_rank, low_frequency
from audioprune.tokens.kmeans import kmeans
from audioprune.tokens.label_map import label_index, relabel
from audioprune.tokens.null_model import blind_interval
from audioprune.tokens.patch_statistics import patch_statistics
from audioprune.tokens.retention import retention
from audioprune.tokens.trace import trace_clips
from tests.fakes.sounds import CLIPS, FRAMES, PATCHES, data

ROWS = np.arange(CLIPS)
BACKBONES = {"audiomae-tiny": "time", "ast-tiny": "freq"}
GRID = {"time": FRAMES // 16, "freq": 8}
RATES = (0.7, 0.5)


@pytest.fixture(scope="module")
def features() -> FeatureStore:
    return FeatureStore.open(data()["features"])


def truth(orientation: str) -> np.ndarray:
    """The generator's own labels in the model's order, (n, P)."""
    extents = WaveformStore.open(data()["audio"]).clips["extents"]
    grids = np.stack([signal_patches(json.loads(text), FRAMES) for text in extents])  # (n, 16, 8)
    return to_tokens(torch.from_numpy(grids), orientation).numpy()


def kept_by(backbone: str, features: FeatureStore, pruner: Pruner, keep_rate: float) -> dict[int, np.ndarray]:
    """Patch numbers that a model keeps when this pruner chooses, seen by the trace."""
    model = build_model(backbone, frames=FRAMES, num_classes=3)
    model.pruning = Pruning(pruner, blocks=(3, 6, 9), keep_rate=keep_rate)
    arrays = trace_clips(model, ROWS, features.fbank, device=torch.device("cpu"), batch_size=CLIPS)
    return {block: arrays[f"kept_{block}"] for block in (3, 6, 9)}


def oracle(labels: np.ndarray) -> Pruner:
    """Ranks by given labels (n, P): signal first."""
    marks = torch.from_numpy(labels.astype(np.float32))

    def rank(view: View) -> Tensor:
        return marks.gather(1, view.patches)

    return Pruner(rank)


def judged(labels: np.ndarray, kept: dict[int, np.ndarray]) -> dict[int, dict[str, np.ndarray]]:
    everything = np.tile(np.arange(PATCHES), (CLIPS, 1))
    return {block: retention(labels, everything, numbers) for block, numbers in kept.items()}


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("keep_rate", RATES)
def test_an_oracle_keeps_all_signal_that_there_is_room_for(backbone, keep_rate, features):
    labels = truth(BACKBONES[backbone])
    sizes = labels.sum(axis=1)
    assert 0 < sizes.min() < 64 < sizes.max()  # of 128: clips with less and with more signal than is kept
    for found in judged(labels, kept_by(backbone, features, oracle(labels), keep_rate)).values():
        assert found["ratio_b"] == pytest.approx(np.minimum(1, found["kept"] / sizes), abs=0)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_intensity_pruner_is_an_oracle_of_the_statistics_in_this_order(backbone, features):
    """Any mistake in the map between patches and tokens shows here: pixels in the model, statistics outside of it."""
    orientation = BACKBONES[backbone]
    mean = patch_statistics(ROWS, features.fbank, orientation=orientation).mean
    labels = mean > np.median(mean)
    pruner = build_model(backbone, frames=FRAMES, num_classes=3, method="intensity", keep_rate=0.5).pruning.pruner
    sizes = labels.sum(axis=1)
    for found in judged(labels, kept_by(backbone, features, pruner, 0.5)).values():
        assert found["ratio_b"] == pytest.approx(
            np.minimum(1, found["kept"] / np.maximum(sizes, 1)), abs=0, nan_ok=True
        )
    wrong = relabel(labels, label_index("transposed", ROWS, orientation=orientation, **GRID))
    for found in judged(wrong, kept_by(backbone, features, pruner, 0.5)).values():
        assert np.nanmean(found["ratio_b"]) < 0.9 * np.nanmean(np.minimum(1, found["kept"] / np.maximum(sizes, 1)))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_blind_selections_keep_signal_by_chance(backbone, features):
    """A random pruner under the true labels, and an oracle of the true labels judged by shuffled ones."""
    orientation = BACKBONES[backbone]
    labels = truth(orientation)
    shuffled = relabel(labels, label_index("shuffled", ROWS, orientation=orientation, **GRID, seed=1))
    random = build_model(backbone, frames=FRAMES, num_classes=3, method="random", keep_rate=0.5).pruning.pruner
    for judge, pruner in ((labels, random), (shuffled, oracle(labels))):
        for found in judged(judge, kept_by(backbone, features, pruner, 0.5)).values():
            low, high = blind_interval(judge.sum(axis=1), int(found["kept"][0]), PATCHES, level=0.999)
            assert low <= found["excess"].mean() <= high
            assert high < 0.12


@pytest.mark.parametrize("orientation", ["time", "freq"])
def test_the_audit_tells_right_labels_from_wrong_ones(orientation, features):
    mean = patch_statistics(ROWS, features.fbank, orientation=orientation).mean
    labels = mean > kmeans(mean).edges[2]
    kept = {
        rate: {block: by_rank(mean, round(PATCHES * rate**i)) for i, block in enumerate((3, 6, 9), 1)} for rate in RATES
    }
    rows = audit(mean, labels, ROWS, kept, orientation=orientation, **GRID, seed=3)
    assert len(rows) == 3 * 4 * 2 * 3
    found = {(r["map"], r["selection"], r["keep_rate"], r["stage"]): r for r in rows}
    sizes = labels.sum(axis=1)
    some = sizes > 0
    for (label_map, selection, rate, stage), row in found.items():
        k = kept[rate][(3, 6, 9)[stage - 1]].shape[1]
        assert row["kept_fraction"] == k / PATCHES
        assert row["ratio_b"] == pytest.approx(row["excess"] + k / PATCHES)
        assert row["n"] == some.sum()
        assert row["high"] == -row["low"] == pytest.approx(blind_interval(sizes, k, PATCHES)[1])
        if selection in ("intensity", "model") and label_map == "right":
            assert row["ratio_b"] == pytest.approx(np.minimum(1, k / sizes[some]).mean())
            assert row["excess"] > 3 * row["high"]
        if label_map == "shuffled" or selection == "random":
            assert abs(row["excess"]) < 2.2 * row["high"]
    index = label_index("transposed", ROWS, orientation=orientation, **GRID)
    wrong = relabel(labels, index)
    chosen = by_rank(mean, kept[0.5][3].shape[1])
    by_hand = [np.mean([w[p] for p in c]) * len(c) / w.sum() for w, c in zip(wrong, chosen, strict=True) if w.any()]
    assert found["transposed", "intensity", 0.5, 1]["ratio_b"] == pytest.approx(np.mean(by_hand))
    assert found["transposed", "intensity", 0.5, 1]["excess"] < found["right", "intensity", 0.5, 1]["excess"] / 2


def test_transposed_labels_make_something_else_of_a_low_frequency_preference():
    """All signal in the lowest band: every eighth of time-major tokens, elsewhere in the other order."""
    rank = low_frequency(1, orientation="time", time=16, freq=8)
    assert by_rank(rank, 16)[0].tolist() == list(range(0, 128, 8))
    assert by_rank(low_frequency(1, orientation="freq", time=16, freq=8), 16)[0].tolist() == list(range(16))
    signal = np.zeros((1, 128), dtype=bool)
    signal[0, ::8] = True
    mean = signal.astype(np.float32)
    kept = {0.125: {3: by_rank(rank, 16)}}
    rows = audit(mean, signal, [0], kept, orientation="time", time=16, freq=8)
    found = {(r["map"], r["selection"]): r["ratio_b"] for r in rows}
    assert found["right", "low_frequency"] == found["right", "intensity"] == found["right", "model"] == 1
    assert found["transposed", "low_frequency"] == 2 / 16  # tokens 0 and 8 of the first sixteen
