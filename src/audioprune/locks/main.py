"""One main process at a time: an flock that ends with its holder, so that no stale lock is ever left behind."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path
from typing import TextIO

from audioprune import disk
from audioprune.cells.cell import RESULTS
from audioprune.errors import UserError

LOCK = RESULTS / "logs" / "main.lock"


def hold(path: Path = LOCK, who: str = "Snakemake") -> TextIO:
    """Take the lock until the returned file is closed; raises UserError naming the process that holds it."""
    disk.reachable(RESULTS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 (held open on purpose)
    except OSError as error:
        raise disk.unwritable(path, error) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        raise UserError(f"{holder} is already running in this folder; wait for it, or stop it first") from None
    with disk.one_message_if_full(path):
        file.truncate(0)
        file.write(f"{who} (process {os.getpid()} on {socket.gethostname()})")
        file.flush()
    return file
