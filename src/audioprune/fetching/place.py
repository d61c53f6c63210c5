"""Where the data of a source lies: in its fetch cell, or, brought by hand, where its manifest says."""

from __future__ import annotations

from pathlib import Path

from audioprune import manifest
from audioprune.errors import UserError

FILES = "files"  # the folder of a fetch cell that holds what was fetched


def root_of(cell: Path, source: str) -> Path:
    """The folder that holds a source's files, given its fetch cell."""
    if (cell / FILES).is_dir():
        return cell / FILES
    return brought(source).root


def brought(source: str) -> manifest.Manifest:
    """The manifest of data that the user brings; raises UserError when it is not indexed, or away."""
    path = manifest.path_of(source)
    if not path.is_file():
        raise UserError(f"{source} is not indexed: name its folder in config.yaml and run `audioprune index {source}`")
    found = manifest.load(path)
    if not found.root.exists():
        raise UserError(
            f"{found.root}, the data of {source}, does not exist: put it back, or name its folder in config.yaml and "
            f"run `audioprune index {source}`"
        )
    return found
