"""Manifests: what data that no cell makes consists of, file by file (`audioprune index DATASET`).

A manifest holds SHA-256, size, time of change and inode of every file of a folder. Refreshing one hashes only files
whose size, time or inode changed; its digest is over paths and hashes alone, so a touch or a copy changes nothing.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from audioprune.errors import UserError
from audioprune.fetching.content import digest_of
from audioprune.progress import Progress
from audioprune.records import sha256_file, write_text

log = logging.getLogger("audioprune")

FOLDER = Path("data/manifests")
VERSION = 1
BATCH = 4096  # files handed to the threads at once
SAVE_EVERY = 60.0  # seconds between saves of an unfinished index


class Entry(NamedTuple):
    sha256: str
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True)
class Manifest:
    root: Path  # a folder, or a single file
    files: Mapping[str, Entry]  # relative path with slashes -> entry

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.files.values())


def path_of(dataset: str) -> Path:
    """Where a dataset's manifest lies, from the repository's root."""
    return FOLDER / f"{dataset}.json"


def index(dataset_root: Path, out: Path, progress: bool = True) -> Manifest:
    """Make or renew the manifest of a folder (or a single file) and write it to `out`.

    What an earlier manifest, or an interrupted index, already knows is not hashed again. Raises UserError when there is
    nothing to index.
    """
    root = Path(dataset_root).expanduser().resolve()
    if not root.exists():
        raise UserError(f"{dataset_root} does not exist: name the folder that holds the data in config.yaml")
    unfinished = out.with_suffix(".partial")
    known: dict[str, Entry] = {}
    for path in (out, unfinished):
        if path.is_file():
            known.update(load(path).files)
    manifest = _hashed(root, known, unfinished if progress else None)
    if not manifest.files:
        raise UserError(f"{root} holds no files: name the folder that holds the data in config.yaml")
    write(manifest, out)
    unfinished.unlink(missing_ok=True)
    return manifest


def refresh(manifest: Manifest, out: Path | None = None) -> Manifest:
    """The manifest as its files are now, written to `out` when anything changed.

    Where the whole folder is away (a disk not mounted, another machine), the manifest stands as it was: planning needs
    no data.
    """
    if not manifest.root.exists():
        log.warning("%s is not here; its manifest is taken as it is", manifest.root)
        return manifest
    fresh = _hashed(manifest.root, manifest.files)
    if fresh.files == manifest.files:
        return manifest
    if out is not None:
        write(fresh, out)
    return fresh


def digest(manifest: Manifest) -> str:
    """Content digest: the same for the same files, wherever and whenever they lie."""
    return digest_of({path: entry.sha256 for path, entry in manifest.files.items()})


def load(path: Path) -> Manifest:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}, not {VERSION}")
        return Manifest(Path(data["root"]), {name: Entry(*entry) for name, entry in data["files"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not a manifest ({error}): delete it and run `audioprune index` again") from None


def write(manifest: Manifest, path: Path) -> None:
    """One line a file, written whole or not at all."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(manifest.files.items()))
    root = json.dumps(str(manifest.root))
    write_text(path, f'{{"version": {VERSION}, "root": {root}, "files": {{\n{lines}\n}}}}\n')


def _hashed(root: Path, known: Mapping[str, Entry], unfinished: Path | None = None) -> Manifest:
    """Entries of all files below `root`, hashing those that differ from `known`."""
    found: dict[str, Entry] = {}
    todo: list[tuple[str, Path, os.stat_result]] = []
    for name, path, stat in _listing(root):
        old = known.get(name)
        if old and old[1:] == (stat.st_size, stat.st_mtime_ns, stat.st_ino):
            found[name] = old
        else:
            todo.append((name, path, stat))
    total = sum(stat.st_size for _, _, stat in todo)
    shown = Progress(f"hashing {root.name}", round(total / 2**20), "MiB") if unfinished else None
    saved, hashed = time.monotonic(), 0
    for (name, _, stat), sha256 in _in_parallel(todo):
        found[name] = Entry(sha256, stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if shown:
            shown.add((hashed + stat.st_size) // 2**20 - hashed // 2**20)
            hashed += stat.st_size
        if unfinished and time.monotonic() - saved > SAVE_EVERY:
            write(Manifest(root, found), unfinished)
            saved = time.monotonic()
    return Manifest(root, found)


def _in_parallel(todo: list[tuple[str, Path, os.stat_result]]) -> Iterator:
    """(item, SHA-256) in order; hashing a file lets other threads work."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(todo), BATCH):
            part = todo[start : start + BATCH]
            yield from zip(part, pool.map(_sha256, (path for _, path, _ in part)), strict=True)


def _sha256(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


def _listing(root: Path) -> Iterator[tuple[str, Path, os.stat_result]]:
    """(relative path, path, stat) of every file; hidden files are left out, links are followed, each folder once."""
    if root.is_file():
        yield root.name, root, root.stat()
        return
    seen, folders = set(), [root]
    while folders:
        folder = folders.pop()
        stat = folder.stat()
        if (stat.st_dev, stat.st_ino) in seen:
            continue
        seen.add((stat.st_dev, stat.st_ino))
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif entry.is_file():  # a link that leads nowhere is no file
                path = Path(entry.path)
                yield path.relative_to(root).as_posix(), path, entry.stat()
