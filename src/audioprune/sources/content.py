"""Content digests: one value for a set of files, whatever archive, order, time or machine they came from.

The digest is SHA-256 over the sorted lines "<sha256> <path>\\n" of all files, paths relative and with slashes. Archives
that a host makes on demand (GitHub's) are not the same bytes from year to year; their contents are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path


def digest_of(files: Mapping[str, str]) -> str:
    """Digest of {relative path: SHA-256 of the file}."""
    lines = sorted(f"{sha256} {path}\n" for path, sha256 in files.items())
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def file_digests(folder: Path) -> dict[str, str]:
    """{relative path: SHA-256} of every file below `folder`."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with open(path, "rb") as f:
            found[path.relative_to(folder).as_posix()] = hashlib.file_digest(f, "sha256").hexdigest()
    return found
