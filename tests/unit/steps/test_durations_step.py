"""Test clips padded and without padding: what is scored, counted and pruned of each, against plain models by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from audioprune.audio.cuts import cut
from audioprune.audio.fbank import log_mel
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.profiling.macs import count
from audioprune.settings.lengths import DurationsSettings
from audioprune.settings.model import Pruning
from audioprune.steps import durations as step
from audioprune.steps._run import Job
from tests.fakes.cells import TEST, inputs, model_of

NATURAL = [98, 128, 98, 50, 128, 98, 16, 1, 98, 200, 128, 17]  # of the 12 clips; the model has 128
COLUMNS = {98: 7, 128: 8, 50: 4, 16: 1, 1: 1, 200: 8, 17: 2}
NONE, TOPK = Pruning(), Pruning(method="topk", keep_rate=0.5)


def made(
    folder: Path, backbone: str = "audiomae-tiny", pruning: Pruning = NONE, **settings
) -> tuple[dict, pd.DataFrame]:
    cells = inputs(folder, backbone, NONE)
    values = np.load(cells["features"] / "fbank.npy")
    for i, frames in enumerate(NATURAL):
        values[i, frames:] = values[i, :frames].min()  # as the front end pads
    np.save(cells["features"] / "fbank.npy", values)
    np.save(cells["features"] / "frames.npy", np.array(NATURAL, dtype=np.int32))
    out = folder / "out"
    out.mkdir()
    own = DurationsSettings(pruning=pruning, **settings)
    results = step.durations(Job("durations", "a", "k", own, cells, out, folder / "resume"))
    return results, pd.read_parquet(out / "durations.parquet")


@pytest.mark.parametrize("backbone", ["audiomae-tiny", "ast-tiny"])
@pytest.mark.parametrize("pruning", [NONE, TOPK], ids=["none", "topk"])
@torch.no_grad()
def test_scores_of_both_modes(tmp_path, backbone, pruning):
    results, frame = made(tmp_path, backbone, pruning)
    assert results["clips"] == len(TEST)
    features = FeatureStore.open(tmp_path / "features")
    plain = model_of(backbone, method=pruning.method, keep_rate=pruning.keep_rate)
    time_major = backbone.startswith("audiomae")
    for mode, own in frame.groupby("mode"):
        assert list(own["clip"]) == [f"c{row:02d}" for row in TEST]
        for row, found in zip(TEST, own.itertuples(), strict=True):
            columns = COLUMNS[NATURAL[row]]
            ids = [8 * t + f if time_major else 8 * f + t for t in range(columns) for f in range(8)]
            keep = None if mode == "padded" else torch.tensor([sorted(ids)])
            expected = plain(features.fbank([row]), keep)[0].numpy()
            assert np.abs(found.scores - expected).max() < 1e-5
            heard = columns if mode == "native" else 8
            assert (found.patches, found.padding) == (8 * heard, 8 * (heard - columns))
            closed = count(
                backbone, frames=16 * heard, num_classes=3, method=pruning.method, keep_rate=pruning.keep_rate
            )
            assert found.macs == closed.total
    whole = [f"c{row:02d}" for row in TEST if COLUMNS[NATURAL[row]] == 8]
    both = [
        np.stack(frame[(frame["mode"] == mode) & frame["clip"].isin(whole)]["scores"]) for mode in ("padded", "native")
    ]
    assert np.array_equal(*both)  # bit for bit: nothing was padded


def test_padding_is_pruned_first_by_intensity(tmp_path):
    """Padding is a clip's minimum, so no patch has a lower mean: of 64 patches 8 are padding, and 32, 16, 8 stay."""
    _, frame = made(tmp_path, pruning=Pruning(method="intensity", keep_rate=0.5))
    padded = frame[frame["mode"] == "padded"].set_index("clip")
    for row in TEST:
        one, padding = padded.loc[f"c{row:02d}"], 64 - 8 * COLUMNS[NATURAL[row]]
        assert one["left"].tolist() == [32, 16, 8]
        assert one["padding"] == padding
        assert one["padding_left"].tolist() == [max(0, kept - (64 - padding)) for kept in (32, 16, 8)]
    native = frame[frame["mode"] == "native"].set_index("clip")
    assert native.loc["c02", "left"].tolist() == [28, 14, 7]  # 56 patches
    assert not np.concatenate(native["padding_left"].tolist()).any()


def test_unpruned_and_merging_models_have_no_stages(tmp_path):
    for pruning in (NONE, Pruning(method="tome", keep_rate=0.5)):
        _, frame = made(tmp_path / pruning.method, pruning=pruning)
        assert all(len(left) == 0 for left in frame["left"])


@torch.no_grad()
def test_cut_clips_are_those_of_their_waveforms(tmp_path):
    cells = inputs(tmp_path / "at", "audiomae-tiny", NONE)
    store = WaveformStore.open(cells["audio"])  # clips of 400 samples, 25 ms: shorter than any cut
    _, frame = made(tmp_path, seconds=(0.5, 1.0))
    assert sorted(frame["seconds"].unique()) == [0.5, 1.0]
    assert set(frame["frames"]) == {1}
    x, _ = log_mel(*store.batch([TEST[0]]), 128)
    features = FeatureStore.open(cells["features"])
    expected = model_of("audiomae-tiny")(features.normalise(x))[0].numpy()
    found = frame[(frame["mode"] == "padded") & (frame["seconds"] == 1.0)].iloc[0]
    assert np.abs(found["scores"] - expected).max() < 1e-5


def test_a_cut_depends_on_clip_length_and_seed_alone():
    wave = np.arange(80_000)
    parts = [cut(wave, 1.0, "a", 0), cut(wave, 1.0, "a", 0), cut(wave, 1.0, "b", 0), cut(wave, 1.0, "a", 1)]
    assert all(len(part) == 16_000 and (np.diff(part) == 1).all() for part in parts)
    starts = [int(part[0]) for part in parts]
    assert starts[0] == starts[1]
    assert len({*starts}) == 3
    assert len(cut(wave, 9.0, "a", 0)) == 80_000
    every = np.array([cut(wave, 1.0, f"clip{i}", 0)[0] for i in range(2000)])
    assert abs(every.mean() / 64_000 - 0.5) < 0.03  # uniform over all starts
    assert every.max() > 63_000
