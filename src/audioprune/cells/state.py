"""Whether a cell's files agree with its record; checked while planning, in the main process only.

A file is compared by size, then by SHA-256; digests are cached by size, mtime and inode, so a touch costs one hash and
changes nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from audioprune import disk, records
from audioprune.cells.cell import RESULTS, Cell, study_folder
from audioprune.errors import UserError

CACHE = RESULTS / "logs" / "digests.json"
GUARD = RESULTS / "logs" / "stale" / "newer.txt"
ELSEWHERE = "audioprune-"  # begins the name of a temporary folder that holds a guard


@dataclass(frozen=True)
class State:
    """`done`, `missing`, or `damaged`; and why, naming the file."""

    name: str
    why: str = ""

    @property
    def fresh(self) -> bool:
        return self.name == "done"


class Digests:
    """SHA-256 of files, remembered between plans by size, mtime and inode."""

    def __init__(self, cache: Path = CACHE):
        self.cache = cache
        self.changed = False
        try:
            self.known = json.loads(cache.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.known = {}

    def digest(self, path: Path) -> str:
        stat = path.stat()
        signature = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        found = self.known.get(str(path))
        if found and found[:3] == signature:
            return found[3]
        digest = records.sha256_file(path)
        self.known[str(path)] = [*signature, digest]
        self.changed = True
        return digest

    def save(self) -> None:
        if self.changed:
            with contextlib.suppress(UserError):  # only hashed again
                records.write_text(self.cache, json.dumps(self.known, sort_keys=True, indent=0))
            self.changed = False


def state_of(folder: Path, record_path: Path, key: str, digests: Digests) -> State:
    """State of what the record at `record_path` describes, its files lying below `folder`."""
    try:
        record = json.loads(record_path.read_text(encoding="utf-8"))
        files, recorded = record["files"], record["key"]
    except FileNotFoundError:
        return State("missing", f"{record_path} is not there")
    except (ValueError, KeyError, TypeError):
        return State("damaged", f"{record_path} cannot be read")
    if recorded != key:
        return State("damaged", f"{record_path} says that its key is {recorded}, not {key}")
    for name, expected in files.items():
        path = folder / name
        try:
            size = path.stat().st_size
        except OSError:
            return State("damaged", f"{path} is missing")
        if size != expected["size"]:
            return State("damaged", f"{path} has {size} bytes, its record says {expected['size']}")
        if digests.digest(path) != expected["sha256"]:
            return State("damaged", f"{path} was changed: its bytes are not those its record lists")
    return State("done")


class States:
    """States of cells, each worked out once; what was hashed for them is remembered when the process ends."""

    def __init__(self) -> None:
        disk.reachable(RESULTS)
        self.digests = Digests()
        self.of, self.of_copy = cache(self._of), cache(self._of_copy)
        atexit.register(self.digests.save)

    def _of(self, cell: Cell) -> State:
        return state_of(cell.dir, cell.record, cell.key, self.digests)

    def _of_copy(self, cell: Cell) -> State:
        """State of the copies of an exhibit's files that users find by its name; those of a stale cell are stale."""
        state = self.of(cell)
        return (
            state_of(study_folder(cell.settings.study), cell.record, cell.key, self.digests) if state.fresh else state
        )


def guard(output: Path) -> Path:
    """A file that is newer than a stale job's output: Snakemake sees it among the inputs, and makes the output again.

    It lies in a folder of its own: Snakemake lists a folder once, and would miss what is written to it afterwards. Its
    bytes are others each time: a small file that is newer with the same bytes as at the job's last run is no change to
    Snakemake, which would make a copy once again and never a second time.
    Where nothing can be written under results/ it lies elsewhere, for a dry run to see; a run stops at its lock.
    """
    try:
        GUARD.parent.mkdir(parents=True, exist_ok=True)
        GUARD.write_text(f"{time.time_ns()}\n", encoding="utf-8")
        before = GUARD.stat().st_mtime - 1
        if output.stat().st_mtime > before:  # made by a node whose clock is ahead
            os.utime(output, (before, before))
    except OSError as error:
        if disk.is_full(error):
            raise disk.unwritable(GUARD, error) from None
        return _guard_elsewhere()
    return GUARD


@cache
def _guard_elsewhere() -> Path:
    """A guard in a temporary folder of this process, which is deleted when it ends."""
    folder = Path(tempfile.mkdtemp(prefix=ELSEWHERE))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    guard = folder / GUARD.name
    guard.write_text(f"{time.time_ns()}\n", encoding="utf-8")
    return guard
