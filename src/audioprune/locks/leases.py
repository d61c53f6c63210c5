"""Leases: a cell that is being written belongs to one process, on any machine of a shared file system.

A lease is a file `<key>.<n>`, created with O_EXCL, that says who holds it; a thread touches it every BEAT_S seconds.
The holder is dead when its process on this machine is gone, when it was an earlier start of the same SLURM job, or when
the file was not touched in LIMIT_S seconds of watching (by the watcher's own clock: those of machines differ).

To take over `n` is to create `n + 1`: of several successors one can. It then looks again, and gives way unless `n` is
still there and nothing newer is; so one that dozed between looking and creating harms nobody. What a holder leaves is
deleted by its successor, or by itself when it is done.

A job L, left over from a killed Snakemake, and its successor S, started by the next one. Snakemake deletes a job's
declared output, `record.json`, when the job starts:

* L ends before the next planning: its record stands, and there is no S.
* L ends after planning, before S starts: L's record is deleted with S's start, but L left a copy of it in
  results/logs/finished. S finds the cell's files as the copy says, puts it back, and is done.
* S starts while L runs: S says who L is, waits, and goes on as above.
* L dies before S starts, or while S waits: S takes over, and goes on from L's resume point.
* L is suspended for longer than LIMIT_S: S takes over. L, awake again, finds its lease gone, at the latest before it
  puts its files in place, and starts again from the beginning as a successor of S. (If it dozes between that look and
  the moving of its files, both move the same bytes, or, on different devices, what planning finds by its digests.)

Copies that are older than a main process are forgotten when it starts, so that a forced run makes its cells again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from audioprune import records
from audioprune.locks.holders import Holder

log = logging.getLogger("audioprune")

BEAT_S = 10.0
LIMIT_S = 120.0  # well above the minute for which a network file system may show old attributes
POLL_S = 2.0
SAY_S = 60.0  # how often a waiting process says so


class Lease:
    """A held lease; `check` before anything is put in place."""

    def __init__(self, path: Path, text: str, beat_s: float):
        self.path, self.text, self.beat_s = path, text, beat_s
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)
        self.thread.start()

    def mine(self) -> bool:
        try:
            return self.path.read_text(encoding="utf-8") == self.text
        except FileNotFoundError:
            return False

    def check(self) -> None:
        """Return only while the lease is held; a process that has lost it starts again."""
        if not self.mine():
            _start_again(self.path)

    def end(self, *, stopped: bool = False) -> None:
        """Give it back; where it was lost meanwhile, start again, unless the process was told to stop."""
        self.ended.set()
        self.thread.join()
        if not stopped:
            self.check()
        if self.mine():
            self.path.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self.ended.wait(self.beat_s):
            with contextlib.suppress(OSError):  # a file system that is away for a moment
                self.check()
                os.utime(self.path)


@contextlib.contextmanager
def hold(path: Path, what: str, *, beat_s: float | None = None, limit_s: float | None = None) -> Iterator[Lease]:
    """Hold the lease `path` (`.<n>` is added) on `what`; waits while another process that lives holds it."""
    lease = _take(path, what, BEAT_S if beat_s is None else beat_s, LIMIT_S if limit_s is None else limit_s)
    stopped = False
    try:
        yield lease
    except (SystemExit, KeyboardInterrupt):
        stopped = True
        raise
    finally:
        lease.end(stopped=stopped)


def holder(key: str, folder: Path = Path("results/logs/leases")) -> str | None:
    """Who holds the lease on the cell with this key; None where nobody does, or one who is known to have ended."""
    path = folder / key
    numbers = _numbers(path) if folder.is_dir() else []
    for number in reversed(numbers):
        with contextlib.suppress(FileNotFoundError):
            found = _parsed(_file(path, number).read_text(encoding="utf-8"))
            return None if found and found.gone(Holder.me()) else str(found or "another process")
    return None


def _take(path: Path, what: str, beat_s: float, limit_s: float) -> Lease:
    path.parent.mkdir(parents=True, exist_ok=True)
    me = Holder.me()
    text = json.dumps(asdict(me) | {"nonce": time.time_ns()}, sort_keys=True) + "\n"
    seen: tuple | None = None  # (file, time of its last touch) as last seen, and since when
    since = said = 0.0
    while True:
        numbers = _numbers(path)
        if not numbers:
            if lease := _create(path, None, text, beat_s):
                return lease
            time.sleep(0.05)
            continue
        newest = numbers[-1]
        try:  # opened, not only asked for its times: a network file system looks afresh
            with open(_file(path, newest), encoding="utf-8") as file:
                touched, content = os.fstat(file.fileno()).st_mtime_ns, file.read()
        except FileNotFoundError:
            continue
        now = time.monotonic()
        if seen != (newest, content, touched):
            seen, since = (newest, content, touched), now
        holder = _parsed(content)
        gone = holder is not None and holder.gone(me)
        if gone or now - since > limit_s:
            if lease := _create(path, newest, text, beat_s):
                why = "has ended" if gone else f"has not been heard of for {limit_s:.0f} s"
                log.warning("%s was being made by %s, which %s; going on in its place", what, holder, why)
                return lease
            time.sleep(0.05)
            continue
        if not said or now - said >= SAY_S:
            said = now
            log.info("%s is being made by %s; waiting for it", what, holder or "another process")
        time.sleep(min(POLL_S, limit_s / 4))


def _create(path: Path, after: int | None, text: str, beat_s: float) -> Lease | None:
    """The lease that follows number `after`; None where another process was faster."""
    number = 0 if after is None else after + 1
    mine = _file(path, number)
    try:
        descriptor = os.open(mine, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return None
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        numbers = _numbers(path)
        alone = numbers == [number]
        if numbers[-1] != number or (not alone if after is None else after not in numbers):
            mine.unlink(missing_ok=True)
            return None
    except BaseException:
        mine.unlink(missing_ok=True)
        raise
    for old in numbers[:-1]:
        _file(path, old).unlink(missing_ok=True)
    return Lease(mine, text, beat_s)


def _file(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _numbers(path: Path) -> list[int]:
    """Numbers of the files of this lease, the newest last."""
    names = (name[len(path.name) + 1 :] for name in os.listdir(path.parent) if name.startswith(f"{path.name}."))
    return sorted(int(name) for name in names if name.isdigit())


def _parsed(content: str) -> Holder | None:
    """The holder that a lease names; None where it is just being written."""
    try:
        known = json.loads(content)
        return Holder(**{name: known[name] for name in Holder.__dataclass_fields__})
    except (ValueError, KeyError, TypeError):
        return None


def _start_again(path: Path) -> None:
    """Replace this process by a new one with the same command line, all its threads gone at once."""
    log.error("the lease %s was taken over by another process; starting again behind it", path)
    for handler in log.handlers:
        handler.flush()
    try:
        os.execv(sys.executable, sys.orig_argv)
    finally:
        os._exit(75)


# --- copies of finished records ---------------------------------------------------------------------------------------


def finished(path: Path) -> Path:
    """Where the copy of a finished cell's record lies, from the path of its lease."""
    return path.parents[1] / "finished" / f"{path.name}.json"


def keep_finished(path: Path, folder: Path) -> None:
    """Leave a copy of the record that lies in `folder`, by the holder of the lease `path`."""
    records.write_text(finished(path), (folder / records.RECORD).read_text(encoding="utf-8"))


def forget_finished(logs: Path, before: float) -> None:
    """Delete the copies that are older than the beginning of a main process (time.time())."""
    for copy in (logs / "finished").glob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            if copy.stat().st_mtime < before:
                copy.unlink()
