"""Records: the JSON that every cell leaves, written whole or not at all, and read back checked.

A cell's folder holds its files and `record.json`, written last, which lists every file with its size and SHA-256. A
folder without a record is unfinished; a file that differs from its record is damaged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from audioprune import disk

RECORD = "record.json"


def canonical(value: object) -> str:
    """Canonical JSON: sorted keys, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def sha256_file(path: Path) -> str:
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that is synced and renamed to it on success, removed on failure.

    Who may read it says the umask. Raises disk.FullDisk where there is no space, UserError where it may not be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)  # by the umask, as tempfile's are not
    except OSError as error:
        raise disk.unwritable(path, error) from None
    try:
        with disk.one_message_if_full(path):
            yield temporary
            with open(temporary, "rb") as f:
                os.fsync(f.fileno())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def listing(folder: Path) -> dict[str, dict]:
    """{relative path: {size, sha256}} of every file below `folder`, the record left out."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != RECORD)
    return {p.relative_to(folder).as_posix(): {"size": p.stat().st_size, "sha256": sha256_file(p)} for p in files}


@contextlib.contextmanager
def cell_folder(final: Path) -> Iterator[Path]:
    """A scratch folder beside `final` whose files are moved into it on success; nothing half-written stays."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    except OSError as error:
        raise disk.unwritable(final, error) from None
    try:
        yield scratch
        (final / RECORD).unlink(missing_ok=True)
        for path in sorted(p for p in scratch.rglob("*") if p.is_file() and p.name != RECORD):
            target = final / path.relative_to(scratch)
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "rb") as f:
                os.fsync(f.fileno())
            os.replace(path, target)
        os.replace(scratch / RECORD, final / RECORD)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def clear_scratch(final: Path) -> None:
    """Remove the scratch folders of killed processes beside `final`; by the holder of its lease only."""
    for scratch in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(scratch, ignore_errors=True)


def read(folder: Path) -> dict:
    """The record of a cell; raises FileNotFoundError or json.JSONDecodeError."""
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))
