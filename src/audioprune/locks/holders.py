"""Identity of a process: machine, process number and start time, and SLURM job."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """One process, told apart from all others of all machines."""

    host: str
    place: str  # where its number means something: machine, start of the machine, container
    pid: int
    started: str | None  # as the system tells it: numbers of processes come again
    job: str = ""  # SLURM's number, which a requeued job keeps
    restart: int = 0
    taken: str = field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M:%S"))

    @classmethod
    def me(cls) -> Holder:
        job, restart = os.environ.get("SLURM_JOB_ID", ""), os.environ.get("SLURM_RESTART_COUNT", "")
        me = os.getpid()
        return cls(socket.gethostname(), _place(), me, started(me), job, int(restart) if restart.isdigit() else 0)

    def gone(self, me: Holder) -> bool:
        """Whether this holder is known to have ended; False where only its silence could tell."""
        if self.place == me.place:
            return started(self.pid) != self.started
        return bool(self.job) and self.job == me.job and self.restart < me.restart

    def __str__(self) -> str:
        job = f", SLURM job {self.job}" if self.job else ""
        return f"process {self.pid} on {self.host}{job}, since {self.taken}"


def started(pid: int) -> str | None:
    """When a process of this machine began, as the system tells it; None where it has ended."""
    state: bytes | str
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, *others = file.read().rpartition(b")")[2].split()
        return None if state in (b"Z", b"X") else others[18].decode()
    except (FileNotFoundError, ProcessLookupError):
        if os.path.exists("/proc/self/stat"):
            return None
    found = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, began = found.stdout.strip().partition(" ")
    return None if not began or state.startswith("Z") else began.strip()


def _place() -> str:
    """This machine, its start, and the container whose numbers of processes these are."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)
