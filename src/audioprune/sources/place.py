"""Where the data of a source is: in its fetch cell or, for data provided by hand, where its manifest says."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from audioprune import records
from audioprune.errors import UserError
from audioprune.sources import manifest

FILES = "files"  # the folder of a fetch cell that holds what was fetched


def root_of(cell: Path, source: str) -> Path:
    """The folder that holds a source's files, given its fetch cell.

    What was brought by hand must be what the cell's record says: raises UserError where it was changed or moved since.
    """
    if (cell / FILES).is_dir():
        return cell / FILES
    found = manifest.refresh(brought(source))
    if manifest.digest(found) != records.read(cell)["results"]["content"]:
        raise UserError(
            f"{found.root}, the data of {source}, has changed since {cell} was made; run Snakemake again, which plans "
            "with the data as it is now"
        )
    return found.root


def brought(source: str) -> manifest.Manifest:
    """The manifest of data that the user brings; raises UserError when it is not indexed, or away."""
    path = manifest.path_of(source)
    if not path.is_file():
        raise UserError(f"{source} is not indexed: name its folder in config.yaml and run `audioprune index {source}`")
    found = manifest.load(path)
    if manifest.away(found.root):
        raise UserError(
            f"{found.root}, the data of {source}, does not exist: restore it, or name its folder in config.yaml and "
            f"run `audioprune index {source}`"
        )
    return found


def pinned(root: Path, name: str) -> bool:
    """Whether a digest of the folder `root` covers what a name leads to: it stays inside, and no part is hidden."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        there, base = (root / path).resolve(), root.resolve()
        if not there.is_relative_to(base):
            return False
        path = PurePosixPath(there.relative_to(base).as_posix())
    return not any(part.startswith(".") for part in path.parts)
