"""The message for a disk that is full, not mounted or not writable: which disk, and what to do.

Where it is full, also how much is left, and that nothing was lost.
"""

from __future__ import annotations

import contextlib
import errno
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from audioprune.errors import UserError

CODES = {errno.ENOSPC, errno.EDQUOT}
# How safetensors, numpy and torch tell it, which keep the system's code to themselves.
WORDS = re.compile(
    r"No space left on device|quota exceeded|\d+ requested and \d+ written"
    r"|unexpected pos \d+ vs \d+|StreamWriter failed"
)


class FullDisk(UserError):
    """Something could not be written for want of space; what was there before is whole."""


@contextlib.contextmanager
def one_message_if_full(path: Path) -> Iterator[None]:
    """Within it, whatever fails because the disk of `path` is full raises FullDisk, which names path and space."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        raise FullDisk(complaint(path)) from error


def is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in CODES:
        return True
    return bool(WORDS.search(str(error)))


def reachable(folder: Path) -> None:
    """Raise UserError where a folder is a link to what is not there, such as a disk that is not mounted."""
    if folder.is_symlink() and not folder.exists():
        raise UserError(
            f"{folder} is a link to {folder.readlink()}, which is not there: mount that disk, or make the link lead to "
            "where the results lie"
        )


def unwritable(path: Path, error: OSError) -> UserError:
    """What to raise where `path` could not be written."""
    why = error.strerror or error
    return FullDisk(complaint(path)) if is_full(error) else UserError(f"{path} cannot be written: {why}")


def complaint(path: Path) -> str:
    folder = next(p for p in (path, *path.absolute().parents) if p.is_dir())
    usage = shutil.disk_usage(folder)
    free, total = usage.free / 2**20, usage.total / 2**20
    return (
        f"no space is left for {path}: {free:.1f} MiB of {total:.0f} MiB are free there, or a quota is used up. "
        "Nothing half-written stays; make space and run Snakemake again: finished cells are kept, and training goes on "
        "from its last resume point"
    )
