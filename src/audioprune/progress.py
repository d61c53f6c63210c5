"""Progress of a long step: speed and time left, as plain lines for terminals and logs."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator

log = logging.getLogger("audioprune")


def duration(seconds: float) -> str:
    """75 -> '1:15', 4000 -> '1:06:40'."""
    minutes, s = divmod(int(seconds + 0.5), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"


class Progress:
    """Counts units of work and logs a plain line now and then: every 5 s on a terminal, every 20 s elsewhere."""

    def __init__(self, what: str, total: int, unit: str = "clips", done: int = 0):
        self.what, self.total, self.unit, self.done, self.first = what, total, unit, done, done
        self.start = self.said = time.monotonic()
        self.interval = 5 if sys.stderr.isatty() else 20
        self.note = ""

    def add(self, n: int = 1, note: str = "") -> None:
        self.done += n
        self.note = note or self.note
        now = time.monotonic()
        if now - self.said >= self.interval or self.done >= self.total > self.done - n:
            self.said = now
            rate = (self.done - self.first) / max(now - self.start, 1e-9)
            left = duration((self.total - self.done) / rate) if rate > 0 else "?"
            text = f"{self.what}: {self.done}/{self.total} {self.unit}, {rate:.4g}/s, {left} left"
            log.info(text + (f", {self.note}" if self.note else ""))


def track(items: Iterable, what: str, total: int, unit: str = "clips") -> Iterator:
    """Yield `items`, counting each as one unit."""
    progress = Progress(what, total, unit)
    for item in items:
        yield item
        progress.add()
