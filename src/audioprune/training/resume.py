"""Resume points: everything needed to continue after a kill as if nothing had happened.

A point is one file, replaced whole. Random numbers need no storing: every draw is seeded by (seed, epoch, step).
"""

from __future__ import annotations

import contextlib
import logging
import platform
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import torch

from audioprune import records
from audioprune.cells import provenance

log = logging.getLogger("audioprune")

POINT = "point.pt"
SHARE = 0.02  # of the time, at most, goes into writing points


def identity(key: str) -> dict:
    """What must be the same for a resumed run to give the bits of an uninterrupted one."""
    versions = provenance.versions()
    wanted = ("python", "torch", "torchaudio", "timm", "numpy")
    return {
        "key": key,
        "versions": {name: versions.get(name, "") for name in wanted},
        "device": f"{provenance.device()}, {platform.machine()}, {torch.get_num_threads()} threads",
    }


class ResumePoint:
    """The resume file of one training run, due every `every_s` seconds, or rarer where writing is slow; 0: always."""

    def __init__(self, folder: Path, key: str, every_s: float = 60):
        self.folder, self.path = folder, folder / POINT
        self.identity, self.every_s = identity(key), every_s
        self.last = time.monotonic()
        self.position = "none yet"

    def load(self) -> dict | None:
        """The stored state, or None, with a warning, where it is unreadable or of another run, version or device."""
        if not self.path.exists():
            return None
        try:
            stored = torch.load(self.path, map_location="cpu", weights_only=True)
            differs = [name for name, value in self.identity.items() if stored["identity"].get(name) != value]
        except Exception as error:
            log.warning("resume point %s is unreadable (%s); starting anew", self.path, type(error).__name__)
            return None
        if differs:
            log.warning("resume point %s was made with another %s; starting anew", self.path, " and ".join(differs))
            return None
        self._note(stored)
        log.info("resuming from epoch %d, step %d", stored["epoch"], stored["step"])
        return stored

    def due(self) -> bool:
        return time.monotonic() - self.last >= self.every_s

    def save(self, state: dict) -> None:
        started = time.monotonic()
        with records.atomic(self.path) as temporary:
            torch.save(state | {"identity": self.identity}, temporary)
        self._note(state)
        self.last = time.monotonic()
        if self.every_s:
            self.every_s = max(self.every_s, (self.last - started) / SHARE)

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self, state: dict) -> None:
        self.position = f"epoch {state['epoch']}, step {state['step']} in {self.path}"


@contextlib.contextmanager
def catch_stop() -> Iterator[dict]:
    """Within it SIGTERM and SIGINT only set ["signal"], so that the loop can write a resume point and leave."""
    caught: dict = {"signal": 0}
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    def remember(number: int, frame: FrameType | None) -> None:
        caught["signal"] = number

    before = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
