"""Data that the user provides: where config.yaml says that it lies, and whether it is the data that was indexed.

A manifest (audioprune.sources.manifest) stands for its data where the configuration names the place that was indexed,
or none.
Where it names another, and where the data cannot be read as it should, the cells of the data are pending.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audioprune.config.design import Config
from audioprune.errors import UserError
from audioprune.fingerprints.keys import code_of, key_of
from audioprune.planning import user_csv
from audioprune.settings.closed import Closed
from audioprune.settings.data import UserFolder
from audioprune.sources import catalogue, checkpoints, manifest
from audioprune.sources.manifest import Listed, Manifest


class NotIndexed(UserError):
    """Why the cells of data are pending, in one line, with the command to run."""


@dataclass(frozen=True)
class Place:
    path: Path  # a folder or a file, links followed
    user: UserFolder | None = None  # of a folder with a CSV


def place_of(config: Config, name: str) -> Place | None:
    """Where the configuration says that data lies, if it does."""
    if name in config.datasets:
        return place_of_user(config.datasets[name])
    backbone = name.removeprefix(catalogue.CHECKPOINT)
    named = config.data.get(name) if backbone == name else config.checkpoints.get(backbone)
    return None if named is None else Place(Path(named).expanduser().resolve())


def option_of(name: str) -> str:
    """The key of the configuration that says where the data of a source lies."""
    return (
        f"checkpoints.{name.removeprefix(catalogue.CHECKPOINT)}"
        if name.startswith(catalogue.CHECKPOINT)
        else f"data.{name}"
    )


def place_of_user(user: UserFolder) -> Place:
    return Place(user_csv.folder(user).resolve(), user)


def current(name: str, place: Place | None, *, keep: bool = True) -> Manifest:
    """What data consists of now; what changed is hashed, and with `keep` its manifest renewed. Raises NotIndexed.

    Where the data is away, its manifest stands as it was: planning needs no data.
    """
    path, command = manifest.path_of(name), f"audioprune index {name}"
    if not path.is_file():
        raise NotIndexed(f"its data is not indexed yet: {command}")
    out = path if keep else None
    try:
        known = manifest.load(path)
        if place and (other := _another(place, known)):
            raise NotIndexed(f"not indexed: {other}: {command}")
        if name.startswith(catalogue.CHECKPOINT) and not manifest.away(known.root):
            checkpoints.check(known.root, name.removeprefix(catalogue.CHECKPOINT))
        if place is None or place.user is None or manifest.away(known.root):
            return manifest.refresh(known, out)
        return manifest.refresh(known, out, listed(place.path, user_csv.read(place.user, look=False)))
    except NotIndexed:
        raise
    except UserError as error:
        head, *rest = (line.strip() for line in str(error).splitlines())
        more = f" {rest[0]}" + (" ..." if len(rest) > 1 else "") if rest else ""
        raise NotIndexed(f"not indexed as it is now: {head}{more}; all of it: {command}") from None


def listed(root: Path, table: user_csv.Table) -> Listed:
    """What of a user's folder counts: the files that its CSV names, and what it says of them."""
    csv = table.path.resolve().relative_to(root).as_posix()
    return Listed(csv, table.digest, tuple(clip.path for clip in table.clips))


def as_planned(name: str, found: Manifest, kind: str, settings: Closed, key: str) -> None:
    """Raise UserError where a job that takes in no cell would have another key with the data as it is now."""
    if key_of(kind, settings, {}, {"content": manifest.digest(found)}, code_of(kind, ())) != key:
        raise UserError(
            f"{name}: what lies in {found.root} is not what this job was planned for: it was changed since, or it was "
            f"not indexed where config.yaml says; run `audioprune index {name}`, then Snakemake again"
        )


def _another(place: Place, known: Manifest) -> str:
    """How the place that the configuration names differs from the one that was indexed; empty where it does not."""
    if place.path != known.root:
        gone = "" if place.path.exists() else " (which does not exist)"
        return f"config.yaml names {place.path}{gone}, but {known.root} was indexed"
    if place.user is None:
        return ""
    away, csv = manifest.away(known.root), known.root / known.csv
    named = [path.resolve() for path in (user_csv.places(place.user) if away else [user_csv.csv_path(place.user)])]
    return "" if csv in named else f"config.yaml names {named[0]}, but {csv} was indexed"
