"""Whether a cell's or an exhibit's files are what its record says, decided while planning, in the main process only.

A file is compared by size, then by SHA-256; digests are cached by size, mtime and inode, so a touch costs one hash and
changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from audioprune import disk, records
from audioprune.disk import FullDisk
from audioprune.planning.cells import RESULTS, Cell

CACHE = RESULTS / "logs" / "digests.json"
GUARDS = RESULTS / "logs" / "guards"


@dataclass(frozen=True)
class State:
    """`done`, `missing`, `damaged`, or (an exhibit made of other cells) `superseded`; and why, naming the file."""

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
            with contextlib.suppress(FullDisk):  # only hashed again
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
        return State("superseded", f"{record_path} was made with key {recorded}, planned is {key}")
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


def cell_state(cell: Cell, digests: Digests) -> State:
    return state_of(cell.dir, cell.dir / records.RECORD, cell.key, digests)


def guard(name: str, why: str) -> Path:
    """Write a file with new bytes: Snakemake sees an input newer than the outputs, and makes them again.

    Each lies in a folder of its own: Snakemake lists a folder once, and would miss those written to it afterwards. It
    is neither synced nor renamed into place: nothing reads it, and half of it is new bytes as well.
    """
    path = GUARDS / name / "stale.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{time.time_ns()} {why}\n", encoding="utf-8")
    except OSError as error:
        raise disk.unwritable(path, error) from None
    return path
