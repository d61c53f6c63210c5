"""Progress of a long step: rate and time left, as a live line on a terminal and as plain lines in a log."""

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
    """Counts units of work; `say` lines are rate-limited: every second on a terminal, every 20 s elsewhere."""

    def __init__(self, what: str, total: int, unit: str = "clips", done: int = 0):
        self.what, self.total, self.unit, self.done, self.first = what, total, unit, done, done
        self.start = self.said = time.monotonic()
        self.live = sys.stderr.isatty()
        self.note = ""

    def add(self, n: int = 1, note: str = "") -> None:
        self.done += n
        self.note = note or self.note
        now = time.monotonic()
        if now - self.said >= (1 if self.live else 20) or (self.done >= self.total and not self.live):
            self.said = now
            self._say(now)

    def _say(self, now: float) -> None:
        rate = (self.done - self.first) / max(now - self.start, 1e-9)
        left = duration((self.total - self.done) / rate) if rate > 0 else "?"
        text = f"{self.what}: {self.done}/{self.total} {self.unit}, {rate:.4g}/s, {left} left"
        text += f", {self.note}" if self.note else ""
        if self.live:
            print(f"\r\033[K{text}", end="" if self.done < self.total else "\n", file=sys.stderr, flush=True)
        log.info(text)


def track(items: Iterable, what: str, total: int, unit: str = "clips") -> Iterator:
    """Yield `items`, counting each as one unit."""
    progress = Progress(what, total, unit)
    for item in items:
        yield item
        progress.add()
