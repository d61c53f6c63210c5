"""Manifests: the files and digests of data that is not made by any cell (`audioprune index DATASET`).

A manifest holds SHA-256, size, time of change and inode of every file of a folder; where a CSV lists what belongs to
the data, of the listed files alone, and a digest of what else the CSV says. Refreshing one hashes only files whose
size, time or inode changed; its digest is over paths and hashes alone, so a touch or a copy changes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from audioprune.errors import UserError
from audioprune.progress import Progress
from audioprune.records import sha256_file, write_text
from audioprune.sources.content import digest_of

log = logging.getLogger("audioprune")

FOLDER = Path("data/manifests")
VERSION = 2
BATCH = 4096  # files handed to the threads at once
SAVE_EVERY = 60.0  # seconds between saves of an unfinished index


class Entry(NamedTuple):
    sha256: str
    size: int
    mtime_ns: int
    inode: int


class Listed(NamedTuple):
    """What of a folder counts, where a CSV in it says so."""

    csv: str  # relative to the folder, as the files are
    rows: str  # digest of what the CSV says
    files: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    root: Path  # a folder, or a single file
    files: Mapping[str, Entry]  # relative path with slashes -> entry
    csv: str = ""  # the CSV that lists the files, relative to the folder; empty where all files of the folder count
    rows: str = ""  # digest of what it says

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.files.values())


def path_of(dataset: str) -> Path:
    """Where a dataset's manifest lies, from the repository's root."""
    return FOLDER / f"{dataset}.json"


def index(dataset_root: Path, out: Path, listed: Listed | None = None, progress: bool = True) -> Manifest:
    """Make or renew the manifest of a folder (or a single file) and write it to `out`.

    What an earlier manifest, or an interrupted index, already knows is not hashed again. Raises UserError when there is
    nothing to index.
    """
    root = Path(dataset_root).expanduser().resolve()
    if not root.exists():
        raise UserError(f"{dataset_root} does not exist: name the folder that holds the data in config.yaml")
    unfinished = out.with_suffix(".partial")
    known = _known(out, root) | _known(unfinished, root)
    manifest = _hashed(root, known, listed, unfinished if progress else None)
    if not manifest.files:
        raise UserError(f"{root} holds no files: name the folder that holds the data in config.yaml")
    write(manifest, out)
    unfinished.unlink(missing_ok=True)
    return manifest


def refresh(manifest: Manifest, out: Path | None = None, listed: Listed | None = None) -> Manifest:
    """The manifest as its files are now, written to `out` when anything changed.

    Where the whole folder is away, the manifest stands as it was: planning needs no data.
    """
    if away(manifest.root):
        log.warning("%s is not here; its manifest is taken as it is", manifest.root)
        return manifest
    fresh = _hashed(manifest.root, manifest.files, listed)
    if fresh == manifest:
        return manifest
    if out is not None:
        with contextlib.suppress(OSError, UserError):  # where nothing can be written, it is hashed again the next time
            write(fresh, out)
    return fresh


def away(root: Path) -> bool:
    """Whether data is not here: on another machine, or on a disk that is not mounted, which leaves an empty folder."""
    try:
        with os.scandir(root) as entries:
            return not any(entries)
    except (NotADirectoryError, PermissionError):  # a single file, or a folder whose files may be read, if not listed
        return False
    except OSError:
        return True


def digest(manifest: Manifest) -> str:
    """Content digest: the same for the same files, listed with the same words, wherever and whenever they lie."""
    content = digest_of({path: entry.sha256 for path, entry in manifest.files.items()})
    return hashlib.sha256(f"{content} {manifest.rows}".encode()).hexdigest() if manifest.rows else content


def load(path: Path) -> Manifest:
    """Read a manifest. A root inside the folder that we are in is kept relative to it, so that both can move."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}, not {VERSION}")
        return Manifest(Path.cwd() / data["root"], _entries(data), data["csv"], data["rows"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        again = f"run `audioprune index {path.stem}` again"
        raise UserError(f"{path} is not a manifest of this version of audioprune ({error}): {again}") from None


def write(manifest: Manifest, path: Path) -> None:
    """One line a file, written whole or not at all."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(manifest.files.items()))
    root, here = manifest.root, Path.cwd()
    place = str(root.relative_to(here) if root.is_relative_to(here) else root)
    head = json.dumps({"version": VERSION, "root": place, "csv": manifest.csv, "rows": manifest.rows})
    write_text(path, f'{head[:-1]}, "files": {{\n{lines}\n}}}}\n')


def _entries(data: dict) -> dict[str, Entry]:
    return {name: Entry(*entry) for name, entry in data["files"].items()}


def _known(path: Path, root: Path) -> dict[str, Entry]:
    """What a manifest of this place, of any version, whole or not, knows of files; nothing where it is unreadable."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return _entries(data) if Path.cwd() / data["root"] == root else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _hashed(root: Path, known: Mapping[str, Entry], listed: Listed | None, unfinished: Path | None = None) -> Manifest:
    """Entries of all files below `root`, or of the listed ones, hashing those that differ from `known`."""
    found: dict[str, Entry] = {}
    todo: list[tuple[str, Path, os.stat_result]] = []
    for name, path, stat in _there(root, listed.files) if listed else _listing(root):
        old = known.get(name)
        if old and (old.size, old.mtime_ns, old.inode) == (stat.st_size, stat.st_mtime_ns, stat.st_ino):
            found[name] = old
        else:
            todo.append((name, path, stat))
    gone = set(listed.files if listed else ()) - {*found, *(name for name, _, _ in todo)}
    if listed and gone:
        raise UserError(f"{root / listed.csv} lists files that are not there: {len(gone)}, the first is {min(gone)}")
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
    return Manifest(root, found, *((listed.csv, listed.rows) if listed else ()))


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
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} cannot be read: {error.strerror}; it belongs to your own data: give yourself read access")


def _there(root: Path, names: Iterable[str]) -> Iterator[tuple[str, Path, os.stat_result]]:
    """(name, path, stat) of the named files that are there, hidden ones too."""
    for name in names:
        path = root / name
        with contextlib.suppress(OSError):
            stat = path.stat()
            if S_ISREG(stat.st_mode):
                yield name, path, stat


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
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise _unreadable(folder, error) from None
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif entry.is_file():  # a link that leads nowhere is no file
                path = Path(entry.path)
                yield path.relative_to(root).as_posix(), path, entry.stat()
