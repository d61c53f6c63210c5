"""The generate step: the same bytes whatever the number of processes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from audioprune import registry
from audioprune.audio.store import WaveformStore
from audioprune.settings.data import GenerateSettings
from audioprune.steps import generate as step
from audioprune.steps._run import Job


def run(folder: Path, settings: GenerateSettings) -> tuple[dict, dict[str, str]]:
    folder.mkdir()
    results = step.generate(Job("generate", "test", "key", settings, {}, folder, folder))
    return results, {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_processes_do_not_change_a_byte(tmp_path, monkeypatch):
    settings = GenerateSettings(generator="words", clips=40, seed=3)
    monkeypatch.setattr(step, "CHUNK", 7)
    made = {}
    for workers in (1, 2, 3):
        monkeypatch.setenv("OMP_NUM_THREADS", str(workers))
        made[workers] = run(tmp_path / str(workers), settings)
    assert set(made[1][1]) == {"waveforms.npy", "clips.parquet"}
    assert made[1] == made[2] == made[3]


def test_the_store_holds_the_generators_clips_exactly(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    settings = GenerateSettings(generator="mixtures", clips=6)
    results, _ = run(tmp_path / "out", settings)
    store = WaveformStore.open(tmp_path / "out")
    expected = list(registry.get("generators", "mixtures").clips(settings))
    assert results["clips"] == len(store) == 6
    assert results["clipped_samples"] == 0
    assert results["hours"] == pytest.approx(6 * 2.56 / 3600, abs=1e-6)
    assert sum(results["labels"].values()) == sum(len(row["labels"]) for row, _ in expected)
    for i, (row, waveform) in enumerate(expected):
        assert np.array_equal(store.waveform(i), waveform)
        stored = store.clips.iloc[i]
        assert list(stored["labels"]) == row["labels"]
        assert all(stored[name] == row[name] for name in row if name != "labels")


def test_cores_are_those_that_were_allotted(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert step.processes() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert step.processes() >= 1


@pytest.mark.parametrize("name", registry.names("generators"))
def test_every_generator_yields_rows_of_a_store(name):
    settings = GenerateSettings(generator=name, clips=30, seed=5)
    ((row, waveform),) = registry.get("generators", name).clips(settings, [4])
    columns = ["clip", "labels", "fold", "split", "recording", "speaker", "transcript", "extents"]
    assert list(row) == columns
    assert waveform.dtype == np.float32
    steps = waveform.astype(np.float64) * 32768
    assert np.array_equal(steps, np.round(steps))
    assert 0.005 < np.abs(waveform).max() <= 0.9001
    assert row["fold"] or row["split"]
    assert row["labels"] or row["transcript"]
