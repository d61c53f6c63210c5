"""Processes that a step starts, killed for real: one message, no hang, nothing half-written, nobody left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from audioprune.cells.cell import Cell
from audioprune.fingerprints.keys import code_of, key_of
from audioprune.settings.data import GenerateSettings
from audioprune.steps import audio as step

from ._chain import Chain, children, ended, wait_for


def words(clips: int) -> Cell:
    settings, plugins = GenerateSettings(generator="words", clips=clips), ("audioprune.generators.words",)
    code = code_of("generate", plugins)
    return Cell("generate", "words", settings, plugins=plugins, key=key_of("generate", settings, {}, {}, code))


@pytest.fixture
def made(tmp_path):
    """(chain, cell): 2000 clips of spoken words, more than are made before a worker is killed."""
    chain = Chain(tmp_path)
    chain.cells["generate"] = words(2000)
    return chain


def workers(step) -> list[int]:
    """The step's two workers once both have started to speak."""
    found = children(step.pid, "spawn_main")
    return found if len(found) == 2 and all(children(worker, "_espeak.py") for worker in found) else []


@pytest.mark.parametrize("speaks", [False, True])
def test_a_killed_worker_is_one_message(made, speaks):
    running = made.start("generate", OMP_NUM_THREADS="2")
    found = wait_for(lambda: workers(running), running)
    everyone = [*found, *(pid for worker in found for pid in children(worker))]
    os.kill(children(found[0], "_espeak.py")[0] if speaks else found[0], signal.SIGKILL)
    _, err = ended(running, 1)
    if speaks:
        assert "the speaking process was killed from outside (status -9)" in err
    else:
        assert "a worker process of this step was killed from outside" in err
        assert "memory" in err
    assert "Traceback" not in err
    assert made.left() == set()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in everyone), seconds=30)


def test_workers_end_with_a_killed_step(made):
    running = made.start("generate", OMP_NUM_THREADS="2")
    found = wait_for(lambda: workers(running), running)
    everyone = [*found, *(pid for worker in found for pid in children(worker))]
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in everyone), seconds=60)
    running.communicate()


def test_decoding_is_the_same_with_one_and_two_workers(undisturbed, tmp_path, monkeypatch):
    monkeypatch.chdir(undisturbed.root)
    store = {}
    for number in (1, 2):
        monkeypatch.setattr(step, "WORKERS", number)
        out = tmp_path / str(number)
        out.mkdir()
        step.audio(
            step.Job(
                "audio", "tones", undisturbed.cells["audio"].key, undisturbed.cells["audio"].settings, {}, out, out
            )
        )
        store[number] = {path.name: path.read_bytes() for path in out.iterdir()}
    assert store[1] == store[2] == undisturbed.files("audio")
