"""Leases between real processes: one holder at a time, whoever is killed, suspended or slow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from audioprune.locks import leases
from audioprune.locks.holders import Holder, started
from audioprune.locks.leases import hold

HOLDS = """
import logging, sys, time
from pathlib import Path
from audioprune.locks.leases import hold
logging.basicConfig(level=logging.INFO, format="%(message)s")
with hold(Path(sys.argv[1]), "the cell", beat_s=0.1, limit_s=float(sys.argv[2])):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
print("left", flush=True)
"""
# Goes in several times; nobody that lives may be found inside. Some die there.
CONTENDS = """
import os, signal, sys, time
from pathlib import Path
from audioprune.locks import holders, leases
leases.POLL_S = 0.02
path, turns, dies = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "dies"
inside = path.parent.parent / "inside"
for turn in range(turns):
    with leases.hold(path, "the cell", beat_s=0.05, limit_s=60):
        if inside.exists() and holders.started(int(inside.read_text())):
            sys.exit(f"{inside.read_text()} is inside too")
        inside.write_text(str(os.getpid()))
        with open(path.parent.parent / "turns", "a") as file:
            file.write(f"{os.getpid()}\\n")
        time.sleep(0.01)
        if dies and turn == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        inside.unlink()
"""


def run(code: str, *arguments) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen, seconds: float = 60) -> tuple[str, str]:
    """(stdout, stderr) of a process that must end well."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return out, err


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "logs" / "leases" / "0123456789abcdef"


def left(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def held_by(path: Path, holder: Holder, number: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_name(f"{path.name}.{number}")
    file.write_text(json.dumps(asdict(holder)))
    return file


def test_a_successor_names_a_live_holder_and_waits_for_it(path):
    holder = run(HOLDS, path, 60, 1.5)
    assert holder.stdout.readline() == "held\n"
    successor = run(HOLDS, path, 60, 0)
    out, err = ended(successor)
    assert out == "held\nleft\n"
    assert f"the cell is being made by process {holder.pid} on {os.uname().nodename}" in err
    assert "waiting for it" in err
    assert holder.poll() is not None or holder.stdout.readline() == "left\n"
    ended(holder)
    assert left(path) == []


@pytest.mark.parametrize("reaped", [True, False])
def test_a_killed_holder_is_followed_at_once(path, reaped):
    holder = run(HOLDS, path, 60, 60)
    holder.stdout.readline()
    holder.kill()
    if reaped:
        holder.wait()
    else:  # a zombie, as where nobody reaps orphans
        while started(holder.pid):
            time.sleep(0.01)
    begun = time.monotonic()
    _, err = ended(run(HOLDS, path, 600, 0))
    assert time.monotonic() - begun < 60
    assert f"process {holder.pid} on" in err
    assert "which has ended; going on in its place" in err
    assert left(path) == []
    holder.communicate()


def test_the_same_number_of_another_process_is_not_the_holder(path):
    held_by(path, replace(Holder.me(), started="1"))
    with hold(path, "the cell", limit_s=600):
        assert left(path) == [f"{path.name}.1"]
    assert left(path) == []


def test_a_requeued_job_follows_its_own_earlier_start_only(path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    me = Holder.me()
    elsewhere = replace(me, place="another node", pid=1)
    assert replace(elsewhere, restart=0).gone(me)
    assert not elsewhere.gone(me)
    assert not replace(elsewhere, restart=0, job="76").gone(me)
    assert not replace(elsewhere, restart=0, job="").gone(replace(me, job=""))
    assert str(elsewhere).startswith(f"process 1 on {me.host}, SLURM job 77, since 20")


def test_a_holder_on_another_machine_is_followed_when_it_is_silent_for_long_enough(path, caplog):
    file = held_by(path, replace(Holder.me(), host="node7", place="node7 1 2"))
    os.utime(file, (1, 1))  # its clock says nothing: only whether it goes on
    until = time.monotonic() + 1.5

    def touch():
        while time.monotonic() < until:
            os.utime(file)
            time.sleep(0.1)

    beats = threading.Thread(target=touch)
    beats.start()
    with hold(path, "the cell", limit_s=0.6):
        assert until + 0.4 < time.monotonic()
    beats.join()
    assert "on node7" in caplog.text
    assert "has not been heard of for 1 s" in caplog.text


def test_a_lease_that_is_only_half_there_is_waited_for(path):
    path.parent.mkdir(parents=True)
    path.with_name(f"{path.name}.0").touch()
    begun = time.monotonic()
    with hold(path, "the cell", limit_s=0.5):
        assert time.monotonic() - begun > 0.5


def test_of_many_successors_one_at_a_time_is_inside(path):
    dead = run(HOLDS, path, 60, 60)
    dead.stdout.readline()
    dead.kill()
    dead.communicate()
    turns = 12
    contenders = [run(CONTENDS, path, turns, "lives") for _ in range(4)]
    dying = [run(CONTENDS, path, turns, "dies") for _ in range(2)]
    for process in contenders:
        ended(process, 120)
    for process in dying:
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
    entered = (path.parent.parent / "turns").read_text().split()
    assert {entered.count(str(process.pid)) for process in contenders} == {turns}
    assert {entered.count(str(process.pid)) for process in dying} == {3}


def test_one_that_dozed_between_looking_and_creating_gives_way(path):
    with hold(path, "the cell") as lease:
        assert leases._create(path, 3, "dozed", 60) is None  # number 3 has gone meanwhile
        assert leases._create(path, None, "dozed", 60) is None  # it is there
        assert left(path) == [f"{path.name}.0"]
        assert lease.mine()
    held_by(path, Holder.me(), 5)
    assert leases._create(path, None, "dozed", 60) is None  # there was none, now there is a newer one
    held_by(path, Holder.me(), 3)
    assert leases._create(path, 3, "dozed", 60) is None
    assert left(path) == [f"{path.name}.3", f"{path.name}.5"]


def test_a_suspended_holder_is_followed_and_starts_again_as_a_successor(path):
    holder = run(HOLDS, path, 60, 3)
    holder.stdout.readline()
    os.kill(holder.pid, signal.SIGSTOP)
    successor = run(HOLDS, path, 1, 2)
    assert successor.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGCONT)
    out, err = ended(holder)  # the same process, begun anew: held once more, and left
    assert out == "held\nleft\n"
    assert "was taken over by another process; starting again behind it" in err
    assert f"is being made by process {successor.pid}" in err
    assert ended(successor)[0] == "left\n"
    assert left(path) == []


def test_when_processes_began():
    assert started(os.getpid()) == started(os.getpid())
    child = subprocess.Popen(["sleep", "60"])
    assert started(child.pid)
    child.kill()
    child.wait()
    assert started(child.pid) is None


def test_the_holder_of_a_cell_is_named_while_it_lives(tmp_path):
    assert leases.holder("0" * 16, tmp_path / "nowhere") is None
    assert leases.holder("0" * 16, tmp_path) is None
    with leases.hold(tmp_path / ("0" * 16), "a cell"):
        assert f"process {os.getpid()} on " in leases.holder("0" * 16, tmp_path)
        assert leases.holder("1" * 16, tmp_path) is None
    assert leases.holder("0" * 16, tmp_path) is None
    ended = subprocess.run([sys.executable, "-c", HELD, str(tmp_path / ("2" * 16))], check=True, capture_output=True)
    assert ended.returncode == 0
    assert len(list(tmp_path.iterdir())) == 1  # left behind by a process that ended without giving it back
    assert leases.holder("2" * 16, tmp_path) is None


HELD = """
import os, sys
from pathlib import Path
from audioprune.locks.leases import hold
with hold(Path(sys.argv[1]), "a cell"):
    os._exit(0)
"""
