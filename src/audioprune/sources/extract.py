"""Safe extraction of tar and zip archives.

An archive is refused, not repaired: absolute paths, "..", links, devices, encrypted members, two members with one name,
and sizes beyond what is allowed all end in a UserError. Nothing is ever written outside the target folder.
"""

from __future__ import annotations

import fnmatch
import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from audioprune import disk
from audioprune.errors import UserError

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
MAX_FILES = 5_000_000
MAX_RATIO, FREE_BYTES = 100, 64 << 20  # without a declared limit: 100 times the archive's size, and 64 MiB
DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError, ValueError
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    name: str
    size: int
    refusal: str  # why it may not be extracted; empty for a plain file
    source: Callable[[], IO[bytes] | None]  # opens it; None of what has a refusal

    def open(self) -> IO[bytes]:
        opened = self.source()
        assert opened is not None
        return opened


def is_archive(file: str) -> bool:
    return file.endswith(SUFFIXES)


def extract(archive: Path, target: Path, *, strip: int = 0, keep: tuple[str, ...] = ("*",), limit: int = 0) -> int:
    """Extract the files of `archive` that match one of `keep` into `target`; returns their number.

    strip: leading folders dropped from every path, before matching. limit: bytes that all files may have together.
    """
    limit = limit or MAX_RATIO * archive.stat().st_size + FREE_BYTES
    target.mkdir(parents=True, exist_ok=True)
    written: set[str] = set()
    count = total = 0
    try:
        for member in _members(archive):
            count += 1
            parts = _safe_parts(archive, member)
            name = "/".join(parts[strip:])
            if count > MAX_FILES:
                raise _refused(archive, member, f"there are more than {MAX_FILES} members")
            if not name or not any(fnmatch.fnmatchcase(name, pattern) for pattern in keep):
                continue
            total += member.size
            if total > limit:
                raise _refused(archive, member, f"its files are larger than the {limit} bytes that are expected")
            if name.casefold() in written:
                raise _refused(archive, member, "two members have this name")
            written.add(name.casefold())
            _write(member, target / name)
    except DAMAGED as error:
        raise _damaged(archive, error) from None
    if not written:
        raise UserError(f"{archive.name} holds no file like {', '.join(keep)}: it is not the expected archive")
    return len(written)


def _members(archive: Path) -> Iterator[Member]:
    """Every member that is not a folder, in the archive's order."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as z:
            for info in z.infolist():
                mode = info.external_attr >> 16
                refusal = "it is encrypted" if info.flag_bits & 1 else ""
                if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                    refusal = "it is a link or a device"
                if not info.is_dir() or refusal:
                    yield Member(info.orig_filename, info.file_size, refusal, partial(z.open, info))
        return
    with tarfile.open(archive, "r:*") as t:
        for entry in t:
            if not entry.isdir():
                refusal = "" if entry.isreg() else "it is a link or a device"
                yield Member(entry.name, entry.size, refusal, partial(t.extractfile, entry))
        while t.fileobj.read(1 << 20):  # to the end, where a compressed stream keeps its checksum
            pass


def _safe_parts(archive: Path, member: Member) -> list[str]:
    name = member.name
    if member.refusal:
        raise _refused(archive, member, member.refusal)
    if name.startswith("/") or "\\" in name or "\0" in name or name[1:2] == ":":
        raise _refused(archive, member, "its path is absolute or not plain")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _refused(archive, member, "its path lies outside the archive")
    return parts


def _write(member: Member, path: Path) -> None:
    with member.open() as source:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise ValueError(f"a file and a folder have the name {member.name}") from None
        except OSError as error:
            if isinstance(error, gzip.BadGzipFile):
                raise
            raise disk.unwritable(path, error) from None
    if path.stat().st_size != member.size:
        raise EOFError(f"{member.name} ends early")


def _refused(archive: Path, member: Member, why: str) -> UserError:
    return UserError(f"{archive.name} is refused: {member.name!r}: {why}. Get it again from its source")


def _damaged(archive: Path, error: Exception) -> UserError:
    why = str(error).partition("\n")[0].rstrip(":") or type(error).__name__
    return UserError(f"{archive} is damaged or not an archive ({why}): delete it and run again")
