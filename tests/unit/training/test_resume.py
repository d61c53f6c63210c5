"""A run that is killed and started again gives the bits of one that was not."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from audioprune.settings.model import Pruning
from audioprune.settings.training import Augment
from audioprune.training import loop
from audioprune.training.resume import ResumePoint, catch_stop
from tests import REPOSITORY
from tests.fakes.tiny_training import RECIPE, stores, tuned

WANTED = {
    "pruning": Pruning(method="topk", keep_rate=0.5),
    "recipe": RECIPE.model_copy(update={"shrink_start": 1, "shrink_epochs": 2, "shrink_granularity": "iteration"}),
    "augment": Augment(magnitude=True, mixup=0.5, specaug_freq=24, noise=True, waveform_noise=0.5),
    "seed": 7,
}
KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from tests.fakes.tiny_training import tuned
from tests.unit.training.test_resume import WANTED
from audioprune.training.resume import ResumePoint
save = ResumePoint.save
def save_and_die(self, state):
    save(self, state)
    if (state["epoch"], state["step"]) == (2, 1):
        os.kill(os.getpid(), signal.SIGKILL)
ResumePoint.save = save_and_die
tuned(Path({store!r}), Path({out!r}), save_every_s=0, **WANTED)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    stores(folder)
    return folder


@pytest.fixture(scope="module")
def whole(store, tmp_path_factory) -> tuple[dict, dict]:
    out = tmp_path_factory.mktemp("whole")
    results = tuned(store, out, **WANTED)
    assert not (out / "resume").exists()
    return results, weights(out)


def weights(out: Path) -> dict[str, dict[str, torch.Tensor]]:
    return {path.stem: load_file(path) for path in out.glob("*.safetensors")}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(one[selection][name], other[selection][name]) for selection in one for name in one[selection]
    )


def test_the_same_run_twice_gives_the_same_bits_and_another_seed_does_not(store, whole, tmp_path):
    assert tuned(store, tmp_path / "again", **WANTED) == whole[0]
    assert same(weights(tmp_path / "again"), whole[1])
    tuned(store, tmp_path / "other", **(WANTED | {"seed": 8}))
    assert not same(weights(tmp_path / "other"), whole[1])


def test_sigkill_in_the_middle_of_an_epoch(store, whole, tmp_path):
    code = KILLED.format(tests=str(REPOSITORY), store=str(store), out=str(tmp_path))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not list(tmp_path.glob("*.safetensors"))
    assert [path.name for path in (tmp_path / "resume").iterdir()] == ["point.pt"]
    results = tuned(store, tmp_path, **WANTED)
    assert results == whole[0]
    assert same(weights(tmp_path), whole[1])


def test_sigterm_writes_a_point_and_leaves(store, whole, tmp_path, monkeypatch, caplog):
    passed = []
    settle = loop._settle

    def terminate(run, pending, point):
        settle(run, pending, point)
        if (run.epoch, run.step) == (1, 2) and not passed:
            passed.append(True)
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(loop, "_settle", terminate)
    with pytest.raises(SystemExit) as left:
        tuned(store, tmp_path, **WANTED)
    assert left.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is not None  # handlers are put back
    with caplog.at_level(logging.INFO, "audioprune"):
        assert tuned(store, tmp_path, **WANTED) == whole[0]
    assert "resuming from epoch 1, step 3" in caplog.text
    assert same(weights(tmp_path), whole[1])


def test_a_point_of_another_run_version_or_device_is_refused(tmp_path, caplog):
    state = {"epoch": 3, "step": 1}
    ResumePoint(tmp_path, "key").save(state)
    assert ResumePoint(tmp_path, "key").load()["epoch"] == 3
    assert ResumePoint(tmp_path, "another").load() is None
    assert "made with another key; starting anew" in caplog.text
    moved = ResumePoint(tmp_path, "key")
    moved.identity = moved.identity | {"device": "a GPU", "versions": {}}
    assert moved.load() is None
    assert "made with another versions and device" in caplog.text


def test_a_damaged_point_is_refused(tmp_path, caplog):
    point = ResumePoint(tmp_path, "key")
    point.save({"epoch": 3, "step": 1, "weights": torch.zeros(1000)})
    point.path.write_bytes(point.path.read_bytes()[:500])
    assert ResumePoint(tmp_path, "key").load() is None
    assert "is unreadable" in caplog.text
    point.clear()
    assert not tmp_path.exists()


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_code_in_a_resume_point_is_not_run(tmp_path, caplog):
    point = ResumePoint(tmp_path / "resume", "key")
    point.save({"epoch": 3, "step": 1})
    torch.save({"identity": point.identity, "epoch": 3, "step": 1, "model": Runs(tmp_path / "made")}, point.path)
    assert ResumePoint(tmp_path / "resume", "key").load() is None
    assert "is unreadable (UnpicklingError); starting anew" in caplog.text
    assert not (tmp_path / "made").exists()


def test_a_slow_disk_makes_points_rarer(tmp_path, monkeypatch):
    from audioprune.training import resume

    clock = iter([0.0, 100.0, 103.0, 160.0, 260.0])
    monkeypatch.setattr(resume.time, "monotonic", lambda: next(clock))
    point = ResumePoint(tmp_path, "key", every_s=60)
    point.save({"epoch": 0, "step": 1})  # takes 3 s: no more than one in 150 s
    assert not point.due()
    assert point.due()


def test_signals_are_only_remembered_inside():
    before = signal.getsignal(signal.SIGTERM)
    with catch_stop() as caught:
        signal.raise_signal(signal.SIGTERM)
        assert caught["signal"] == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
