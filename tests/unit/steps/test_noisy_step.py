"""Clean and disturbed test clips by a fine-tuned model: scores, what is kept, and that nothing else decides them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import tests.fakes.cells as _cells
from audioprune import records
from audioprune.audio import disturb
from audioprune.audio.disturbed import Disturbed
from audioprune.audio.fbank import log_mel
from audioprune.audio.features import FeatureStore, write_features
from audioprune.audio.noise_of import Noise
from audioprune.audio.store import WaveformStore, write_store
from audioprune.errors import UserError
from audioprune.facts.noise import Condition
from audioprune.settings.evaluation import EvaluateSettings, NoisySettings
from audioprune.settings.model import Pruning
from audioprune.steps import evaluate, noisy
from audioprune.steps._run import Job

HALF = Pruning(method="topk", keep_rate=0.5)
SILENT = 4  # a test clip without power


@pytest.fixture(scope="module", params=["ast-tiny", "audiomae-tiny"])
def cells(request, tmp_path_factory) -> dict[str, Path]:
    """Twelve clips of half a second to one and a half, of three labels and four speakers; the features are theirs."""
    folder = tmp_path_factory.mktemp("cells")
    cells = _cells.inputs(folder, request.param, Pruning())
    rng = np.random.default_rng(0)
    rows = [
        {
            "clip": f"c{i:02d}",
            "labels": [i % 3],
            "split": "test" if i in _cells.TEST else "train",
            "recording": f"r{i}",
            "speaker": f"s{i % 4}",
        }
        for i in range(12)
    ]
    waves = [
        (0.0 if i == SILENT else 0.1) * rng.normal(size=8000 + 1500 * i) * np.hanning(8000 + 1500 * i)
        for i in range(12)
    ]
    write_store(cells["audio"], [(row, wave.astype(np.float32)) for row, wave in zip(rows, waves)])
    write_features(cells["features"], WaveformStore.open(cells["audio"]), 128)
    return cells


def made(folder: Path, cells, step=noisy.noisy, **settings) -> Path:
    folder.mkdir()
    own = {"kinds": ("white", "other"), "snrs": (20.0, 0.0), "pruning": HALF, "talkers": 2} | settings
    kind = NoisySettings if step is noisy.noisy else EvaluateSettings
    results = step(
        Job("x", "a", "k", kind(**{k: v for k, v in own.items() if k in kind.model_fields}), cells, folder, folder)
    )
    records.write_json(folder / records.RECORD, {"results": results})
    return folder


def table(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "noisy.parquet")


def scores(frame: pd.DataFrame, kind: str, level: float | None = None) -> np.ndarray:
    own = frame[(frame["kind"] == kind) & ((frame["level"] == level) if level is not None else True)]
    return np.stack(list(own["scores"]))


def test_every_clip_is_there_clean_and_in_every_condition_but_the_silent_one(cells, tmp_path):
    made(tmp_path / "a", cells, draws=2, kinds=("white", "babble", "gain", "reverb"), t60s=(0.3,))
    found, results = table(tmp_path / "a"), records.read(tmp_path / "a")["results"]
    assert results["clips"] == 7
    assert results["set_aside"] == [f"c{SILENT:02d}"]
    assert results["conditions"] == 1 + 2 * (3 * 2 + 1)
    assert found.groupby(["kind", "level", "draw"], dropna=False).size().eq(7).all()
    assert set(found["kind"]) == {"clean", "white", "babble", "gain", "reverb"}
    assert results["blocks"] == [3, 6, 9]
    assert {tuple(own) for own in found["kept"]} == {(32, 16, 8)}  # ceil of a half, of 64 patches
    bare = found[found["kind"].isin(["clean", "gain", "reverb"])]
    assert bare["all_signal"].isna().all()
    assert np.isnan(np.stack(list(bare["on_signal"]))).all()
    assert not found["all_signal"][found["kind"] == "white"].isna().any()


def test_the_clean_pass_is_the_evaluation_and_so_is_noise_too_weak_to_matter(cells, tmp_path):
    made(tmp_path / "a", cells, snrs=(120.0,))
    made(tmp_path / "b", cells, evaluate.evaluate)
    evaluated = pd.read_parquet(tmp_path / "b" / "predictions.parquet").set_index("clip")["scores"]
    found = table(tmp_path / "a")
    for kind, tolerance in (("clean", 0), ("white", 2e-2), ("other", 2e-2)):
        own = found[found["kind"] == kind].set_index("clip")["scores"]
        for clip in own.index:
            assert np.abs(own[clip] - evaluated[clip]).max() <= tolerance
    assert np.stack(list(found["overlap"][found["kind"] == "clean"])).min() == 1


def test_noise_changes_scores_and_the_more_the_louder(cells, tmp_path):
    found = table(made(tmp_path / "a", cells, snrs=(40.0, 0.0)))
    clean = scores(found, "clean")
    weak, strong = (np.abs(scores(found, "white", level) - clean).mean() for level in (40.0, 0.0))
    assert 0 < weak < strong
    overlap = {
        level: np.stack(list(own["overlap"])).mean() for level, own in found[found["kind"] == "white"].groupby("level")
    }
    assert overlap[40.0] > overlap[0.0]


def test_a_clip_s_noise_is_the_same_for_every_model_and_set_of_conditions(cells, tmp_path):
    first = table(made(tmp_path / "a", cells, kinds=("white",), snrs=(0.0,)))
    more = table(made(tmp_path / "b", cells, kinds=("other", "white"), snrs=(20.0, 0.0)))
    assert np.array_equal(scores(first, "white", 0.0), scores(more, "white", 0.0))
    for changed in ({"seed": 1}, {"power": "active"}):
        other = table(made(tmp_path / str(changed), cells, kinds=("white",), snrs=(0.0,), **changed))
        assert not np.allclose(scores(first, "white", 0.0), scores(other, "white", 0.0))
        assert np.array_equal(scores(first, "clean"), scores(other, "clean"))


def test_an_unpruned_model_and_one_that_merges_have_no_kept_patches(cells, tmp_path):
    for pruning in (Pruning(), Pruning(method="tome", keep_rate=0.5)):
        folder = made(tmp_path / pruning.method, cells, pruning=pruning)
        assert records.read(folder)["results"]["blocks"] == []
        assert set(map(len, table(folder)["overlap"])) == {0}


def test_a_grid_keeps_the_same_whatever_the_noise(cells, tmp_path):
    found = table(made(tmp_path / "a", cells, pruning=Pruning(method="uniform", keep_rate=0.5)))
    assert np.stack(list(found["overlap"])).min() == 1
    on, clean_on = (np.stack(list(found[found["kind"] == "white"][name])) for name in ("on_signal", "clean_on_signal"))
    assert np.array_equal(on, clean_on)


def test_nothing_but_silence_is_an_error(cells, tmp_path, monkeypatch):
    noisy.disturbed.cache_clear()
    monkeypatch.setattr(Disturbed, "has_power", lambda self, row: False)
    with pytest.raises(UserError, match="no test clip has any power"):
        made(tmp_path / "a", cells)


# --- what a model is shown -------------------------------------------------------------------------------------------


@pytest.fixture
def clip(tmp_path) -> tuple[WaveformStore, FeatureStore]:
    """Noise of 600 to 1 200 Hz in the first half of a second."""
    spectrum = np.fft.rfft(np.random.default_rng(5).normal(size=16000))
    spectrum[(np.arange(8001) < 600) | (np.arange(8001) > 1200)] = 0
    wave = np.fft.irfft(spectrum) * (np.arange(16000) < 8000)
    write_store(tmp_path, [({"clip": "band", "labels": [0]}, wave.astype(np.float32))])
    store = WaveformStore.open(tmp_path)
    write_features(tmp_path, store, 128)
    records.write_json(tmp_path / "stats.json", {"mean": 0.0, "std": 0.5})
    return store, FeatureStore.open(tmp_path)


def test_a_mixture_is_made_on_the_waveform(clip):
    store, features = clip
    found = Disturbed(store, features, Noise(3, 1, {}, "d"))
    x, _ = found.of([0], Condition("white", 5.0, 0))
    clean = disturb.centred(store.waveform(0))
    v = Noise(3, 1, {}, "d").of("white", 0, store.clips.iloc[0], 16000)
    mixture = (clean + disturb.factor(clean, v, 5.0) * v).astype(np.float32)
    assert torch.allclose(x, log_mel(torch.from_numpy(mixture)[None], None, 128)[0], atol=2e-4)


def test_signal_is_where_the_clip_is_louder_than_the_noise(clip):
    """Mel bins 32 to 47, the third row of patches, lie at 660 to 1 120 Hz. There the clip has all its power, for half
    of the time: 14 dB more than white noise of the same power has there."""
    store, features = clip
    found = Disturbed(store, features, Noise(3, 1, {}, "d"))
    _, signal = found.of([0], Condition("white", 0.0, 0))
    assert signal.shape == (1, 8, 8)
    assert signal[0, :3, 2].all()
    assert not signal[0, 4:].any()
    assert not signal[0, :, 4:].any()
    _, loud = found.of([0], Condition("white", 80.0, 0))
    assert loud[0, :3, :4].all()
    assert not loud[0, 6:].any()  # 98 frames: the seventh column has two, of silence, the eighth is padding


def test_level_shifts_are_those_of_the_front_end(clip):
    """The spectrogram of g v is that of v, shifted; compared with the front end itself, floor included."""
    store, _ = clip
    noise = Noise(3, 1, {}, "d")
    v = noise.of("pink", 0, store.clips.iloc[0], 16000)
    v /= np.sqrt(np.mean(v**2))
    for g in (1e-6, 1e-3, 0.1):
        own = log_mel(torch.from_numpy((g * v).astype(np.float32))[None], None, 128)[0]
        shifted = (log_mel(torch.from_numpy(v.astype(np.float32))[None], None, 128)[0] + 2 * np.log(g)).clamp(
            min=float(np.log(torch.finfo(torch.float32).eps))
        )
        assert torch.allclose(own, shifted, atol=1e-3)


def test_a_batch_changes_nothing(cells):
    store, features = WaveformStore.open(cells["audio"]), FeatureStore.open(cells["features"])
    rows = [row for row in _cells.TEST if row != SILENT]
    for condition in (Condition("white", 0.0, 0), Condition("reverb", 0.3, 0), Condition("gain", 0.0, 0)):
        together, _ = Disturbed(store, features, Noise(0, 2, {}, "d")).of(rows, condition)
        apart = [Disturbed(store, features, Noise(0, 2, {}, "d")).of([row], condition)[0][0] for row in reversed(rows)]
        assert torch.equal(together, torch.stack(apart[::-1]))
