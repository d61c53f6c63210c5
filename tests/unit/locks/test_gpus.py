"""GPUs are handed out to one process each, and come back when their holder ends or is killed."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

from audioprune.errors import UserError
from audioprune.locks import gpus

HOLDER = """
import os, sys
from pathlib import Path
from audioprune.locks.gpus import reserve_gpus
with reserve_gpus(int(sys.argv[2]), Path(sys.argv[1]), every_s=0.05) as cards:
    print(",".join(cards), os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose nvidia-smi lists the GPUs 0 and 1."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    return tmp_path / "locks"


@pytest.fixture
def hold(machine):
    """hold(n) starts a process that takes n cards and keeps them until its input is closed."""
    started = []

    def start(wanted: int) -> subprocess.Popen:
        command = [sys.executable, "-c", HOLDER, str(machine), str(wanted)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_two_jobs_get_two_cards_and_the_third_waits_until_a_killed_one_gives_its_card_back(hold):
    first, second = hold(1), hold(1)
    said = {process.stdout.readline() for process in (first, second)}
    assert said == {"0 0\n", "1 1\n"}
    third = hold(1)
    assert select.select([third.stdout], [], [], 2)[0] == []
    second.kill()
    assert third.stdout.readline() in said


def test_a_job_of_two_cards_waits_for_both(hold):
    first = hold(1)
    assert first.stdout.readline() == "0 0\n"
    both = hold(2)
    assert select.select([both.stdout], [], [], 2)[0] == []
    other = hold(1)
    assert other.stdout.readline() == "1 1\n"
    first.stdin.close()
    other.stdin.close()
    assert both.stdout.readline() == "0,1 0,1\n"


def test_the_users_choice_of_cards_is_kept_and_restored(machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, 7")
    with gpus.reserve_gpus(1, machine) as one, gpus.reserve_gpus(0, machine) as none:
        assert (one, none, os.environ["CUDA_VISIBLE_DEVICES"]) == (["5"], [], "5")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5, 7"
    with pytest.raises(UserError, match=r"wants 3 GPUs and .* has 2: 5, 7"), gpus.reserve_gpus(3, machine):
        pass


def test_nothing_is_taken_in_a_slurm_job_nor_without_gpus(machine, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with gpus.reserve_gpus(1, machine) as cards:
        assert (cards, os.environ["CUDA_VISIBLE_DEVICES"]) == ([], "1")
    monkeypatch.delenv("SLURM_JOB_ID")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with gpus.reserve_gpus(1, machine) as cards:
        assert cards == []
    assert not machine.exists()
