"""Locks on the GPUs of one machine: each is used by one job at a time.

Snakemake's local executor counts GPUs (`gpu` resources) but does not say which one a job gets. A step that asks for
some takes as many locks, one for each card, and sees only those cards. The locks are flocks: they die with their
holder, also where it is killed, and a job that a killed Snakemake has left behind keeps its card until it ends. SLURM
hands out its GPUs itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from audioprune.cells.cell import RESULTS
from audioprune.errors import UserError

log = logging.getLogger("audioprune")

LOCKS = RESULTS / "logs" / "gpus"
VISIBLE = "CUDA_VISIBLE_DEVICES"


def cards() -> list[str]:
    """GPUs that jobs may use: those of CUDA_VISIBLE_DEVICES if the user has set it, else all that nvidia-smi lists."""
    if VISIBLE in os.environ:
        return [card.strip() for card in os.environ[VISIBLE].split(",") if card.strip()]
    try:
        query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return []


@contextlib.contextmanager
def reserve_gpus(wanted: int, folder: Path = LOCKS, every_s: float = 1) -> Iterator[list[str]]:
    """Wait for `wanted` free cards, let this process see only them, and give them back at the end.

    Yields their names; none where none is wanted, on a machine without GPUs (the step then computes on the processor)
    and within a SLURM job. Raises UserError where there are fewer cards than wanted.
    """
    here = cards() if wanted and "SLURM_JOB_ID" not in os.environ else []
    if not here:
        yield []
        return
    if wanted > len(here):
        raise UserError(f"this job wants {wanted} GPUs and {socket.gethostname()} has {len(here)}: {', '.join(here)}")
    before = os.environ.get(VISIBLE)
    with contextlib.ExitStack() as held:
        taken = _take(wanted, here, folder, held)
        if not taken:
            log.info("waiting for a free GPU of %s", ", ".join(here))
        while not taken:
            time.sleep(every_s)
            taken = _take(wanted, here, folder, held)
        os.environ[VISIBLE] = ",".join(taken)
        log.info("GPU %s", ", ".join(taken))
        try:
            yield taken
        finally:
            if before is None:
                os.environ.pop(VISIBLE)
            else:
                os.environ[VISIBLE] = before


def _take(wanted: int, here: list[str], folder: Path, held: contextlib.ExitStack) -> list[str]:
    """All the wanted cards, locked, or none."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        taken = []
        for card in here:
            file = stack.enter_context(open(folder / f"{socket.gethostname()}-{card}.lock", "w", encoding="utf-8"))
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                taken.append(card)
            if len(taken) == wanted:
                held.push(stack.pop_all())
                return taken
    return []
