"""Leftovers under results/ that belong to no planned cell: outdated cells, scratch folders, resume points, logs.

Only what this project writes is looked at, and links are never followed. What somebody may be writing, and what cannot
be judged here, is kept.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audioprune.cells.cell import KEY_LENGTH, RESULTS, Cell
from audioprune.cells.kinds import KINDS
from audioprune.locks import leases
from audioprune.planning import jobs

KEY = rf"[0-9a-f]{{{KEY_LENGTH}}}"
WHATS = ("outdated cell", "unfinished scratch folder", "orphaned resume point", "old log", "old job file")


@dataclass(frozen=True)
class Leftover:
    what: str  # one of WHATS
    path: Path
    bytes: int
    kept: str = ""  # why it is not removed, if so


def find(cells: dict[str, Cell]) -> list[Leftover]:
    """Everything left over, by what it is, given {path: cell} of all studies."""
    keys, busy, kept = {cell.key for cell in cells.values()}, holders(), reasons(cells)
    found = []
    places: dict[str, str] = {}  # of keys that no study plans: kind/address
    for path in _below(RESULTS / "cells", KEY):
        place = path.parent.relative_to(RESULTS / "cells").as_posix()
        if f"{place}/{path.name}" not in cells:
            places[path.name] = place
            found.append(("outdated cell", path, path.name, place))
    for path in _below(RESULTS / "cells", rf"\.{KEY}\..+"):
        found.append(("unfinished scratch folder", path, path.name[1 : KEY_LENGTH + 1], ""))
    for kind in KINDS:
        for path in _below(RESULTS / "logs" / kind, rf"{KEY}\.log"):
            if path.stem not in keys:
                place = places[path.stem] = path.parent.relative_to(RESULTS / "logs").as_posix()
                found.append(("old log", path, path.stem, place))
    for path in _below(RESULTS / "resume", KEY):
        if path.name not in keys:
            found.append(("orphaned resume point", path, path.name, places.get(path.name, "")))
    for path in _below(jobs.FOLDER, rf"{KEY}-{KEY}\.json"):
        if not made_by(path) & cells.keys():
            found.append(("old job file", path, path.name[:KEY_LENGTH], ""))
    left = [Leftover(what, path, size_of(path), busy(key) or kept(place)) for what, path, key, place in found]
    return sorted(left, key=lambda one: (WHATS.index(one.what), str(one.path)))


def made_by(path: Path) -> set[str]:
    """Paths of the cells that a job makes, by its file; none where that cannot be read."""
    try:
        return set(json.loads(path.read_text(encoding="utf-8"))["cells"])
    except (OSError, ValueError, KeyError):
        return set()


def reasons(cells: dict[str, Cell]) -> Callable[[str], str]:
    """place -> why cells there are kept whatever their key: data not indexed here, or a timing of another device."""
    made = [cell for cell in cells.values() if not KINDS[cell.kind].draws]  # what is drawn is drawn again in seconds
    pending = {f"{cell.kind}/{cell.address}" for cell in made if _waits(cell)}
    timed = {f"throughput/{cell.address}" for cell in cells.values() if cell.kind == "throughput"}
    on_any_device = set(map(_without_device, timed))

    def reason(place: str) -> str:
        if place in pending:
            return "its input data is not indexed here: see audioprune doctor"
        if place.startswith("throughput/") and place not in timed and _without_device(place) in on_any_device:
            return "a timing of another device"
        return ""

    return reason


def _waits(cell: Cell) -> bool:
    """Whether a cell, or anything it is made from, waits for data to be indexed."""
    return bool(cell.note) or any(map(_waits, cell.inputs.values()))


def _without_device(place: str) -> str:
    """throughput/<device>/<rest> -> <rest>."""
    return place.split("/", 2)[2]


def holders() -> Callable[[str], str]:
    """key -> who is making its cell, or nothing: the holder of its lease, else a running process that names it."""
    commands = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands[path.parent.name] = path.read_bytes()
        except OSError:
            continue

    def holder(key: str) -> str:
        if name := leases.holder(key):
            return f"being made by {name}"
        named = [process for process, command in commands.items() if key.encode() in command]
        return f"named by process {named[0]}, which is running" if named else ""

    return holder


def remove(left: Leftover) -> None:
    """Remove a leftover, and the folders above it that it leaves empty; results/cells and its like stay."""
    if left.path.is_symlink() or left.path.is_file():
        left.path.unlink()
    else:
        shutil.rmtree(left.path)
    for folder in left.path.parents:
        if folder.parent == RESULTS or any(folder.iterdir()):
            break
        folder.rmdir()


def _below(folder: Path, name: str) -> Iterator[Path]:
    """Paths below a folder with such a name; does not descend into what it finds, nor into links."""
    if not folder.is_dir() or folder.is_symlink():
        return
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if re.fullmatch(name, entry.name):
                yield Path(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path), name)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; a link counts as itself."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(size_of(inner) for inner in path.iterdir())
