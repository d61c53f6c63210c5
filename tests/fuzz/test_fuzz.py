"""Mutated audio, checkpoints, tables and configurations, read in child processes: answered, or refused by one error.

Seconds by default; `make fuzz` reads many more (AUDIOPRUNE_FUZZ: how many times as many, with other seeds).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz._child import MEMORY, PATIENCE, SECONDS
from tests.fuzz._targets import FAULTS, ROOT, TARGETS

CASES = {"audio": 400, "checkpoint": 400, "safetensors": 400, "labels": 400, "config": 60}  # of one child
TIMES = int(os.environ.get("AUDIOPRUNE_FUZZ", "1"))


def child(target: str, seed: int, cases: int, folder: Path, *more: int) -> subprocess.CompletedProcess:
    unwritten = "-B"  # bytecode of a module that nothing has imported yet: the child may write nothing
    command = [sys.executable, unwritten, "-m", "tests.fuzz._child", target, seed, cases, folder, *more]
    source = {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    return subprocess.run(
        [*map(str, command)], cwd=ROOT, env=os.environ | source, capture_output=True, text=True, errors="replace",
        timeout=PATIENCE * SECONDS * (10 + cases), check=False,
    )  # fmt: skip


def wrong(found: subprocess.CompletedProcess) -> str:
    """What a child died of, or a traceback that it printed and outlived; empty where neither."""
    return found.stderr[-3000:] or str(found.returncode) if found.returncode or "Traceback" in found.stderr else ""


@pytest.mark.parametrize("seed", range(TIMES))
@pytest.mark.parametrize("target", CASES)
def test_mutated_files_are_answered(tmp_path, target, seed):
    found = child(target, seed, CASES[target], tmp_path / "files")
    assert not wrong(found), f"{tmp_path}: {wrong(found)}"
    figures = json.loads(found.stdout.splitlines()[-1])
    assert figures["cases"] == CASES[target]
    assert figures["slowest_s"] < SECONDS
    assert figures["grown_mib"] < MEMORY >> 20


def test_every_target_is_tried():
    assert set(CASES) == set(TARGETS) - set(FAULTS)


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("hang", (-signal.SIGPROF, -signal.SIGALRM), ""), ("sleep", -signal.SIGALRM, ""), ("eat", 1, "MemoryError"),
        ("litter", 1, "files/left"), ("stray", 1, "/left"),
        ("undo", 1, "os.rmdir"), ("start", 1, "subprocess.Popen"), ("mutter", 0, "Traceback"),
        ("die", -signal.SIGSEGV, ""), ("blunder", 1, "not an answer"),
    ],
)  # fmt: skip
def test_what_must_not_happen_is_seen(tmp_path, fault, code, said):
    found = child(fault, 0, 1, tmp_path / "files", 1)
    assert found.returncode in (code if isinstance(code, tuple) else (code,))
    assert wrong(found)
    assert said in found.stderr
    assert (tmp_path / "files" / "a").is_file()  # what did it is kept
