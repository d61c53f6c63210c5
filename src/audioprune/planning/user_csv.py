"""The CSV of a user's folder, as parsed: its clips, the columns that are read, and every mistake with its row.

Columns: file (relative to the folder), label (several joined by ";"); optional split (train, val, test), fold,
recording, speaker, transcript (see user_columns). Quoting, the order of columns and blank lines do not count. A clip
without a label is listed without one: decoding reports it by name. The digest of what was parsed is in the key of the
audio cell, so that the code here need not be.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from audioprune.errors import UserError
from audioprune.facts.dataset import Clip
from audioprune.planning import user_columns
from audioprune.planning.user_rows import clip_of, fold_of
from audioprune.settings.data import UserFolder
from audioprune.statistics.units import divided
from audioprune.wording import listing

KEYED = ("id", "labels", "fold", "split", "recording", "speaker", "transcript")  # all that a clip has from its row
SHOWN = 50  # errors printed at once


@dataclass(frozen=True)
class Table:
    path: Path
    clips: list[Clip]  # in the rows' order
    columns: tuple[str, ...]  # those that are read
    ignored: tuple[str, ...]  # the others, as they are written, with remarks
    warnings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Digest of the columns that are read and of nothing else in the file: equal clips have equal digests."""
        rows = [[getattr(clip, name) for name in KEYED] for clip in self.clips]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    @property
    def told(self) -> str:
        ignored = f"; ignores {', '.join(self.ignored)}" if self.ignored else ""
        read = f"{self.path}: reads the columns {', '.join(self.columns)}{ignored}"
        return "\n".join([read, *(f"warning: {self.path}: {warning}" for warning in self.warnings)])


class Mistakes(UserError):
    """What is wrong with a CSV, and the clips that it names all the same, so that their audio can be looked at, too."""

    def __init__(self, message: str, clips: list[Clip]):
        super().__init__(message)
        self.clips = clips


def read(user: UserFolder, *, look: bool = True) -> Table:
    """The CSV, parsed; raises one UserError (Mistakes) that lists every mistake with its row.

    Without `look` no file is looked for: planning does that itself. Without folds and without a split column, one
    recording in five (by a hash of its name) is the test set.
    """
    root = folder(user)
    if not root.is_dir():
        raise UserError(f"the folder {user.folder!r} does not exist: correct `folder` in config.yaml")
    path = csv_path(user)
    header, rows = _rows(path)
    columns = user_columns.positions(header, user)
    errors, found = list(user_columns.errors(header, user)), []
    if not errors:
        errors = _folds_from_zero(user, columns, rows)
    if not errors:
        for clip, wrong in _clips(root, user, columns, len(header), rows, look):
            errors += wrong
            found += [clip] if clip else []
    if not errors:
        errors = list(_untrained(user, found, drawn=user.folds == 1 and "split" not in columns))
    if errors:
        more = f"\n  and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
        shown = "".join(f"\n  {error}" for error in errors[:SHOWN])
        message = f"{path} has {len(errors)} error{'s' * (len(errors) > 1)}:{shown}{more}"
        raise Mistakes(message, [clip for clip in found if _inside(root, clip.path)])
    ignored = tuple(user_columns.ignored(header, user))
    return Table(path, found, tuple(columns), ignored, tuple(_warnings(user, found)))


def _inside(root: Path, name: str) -> bool:
    return ".." not in PurePath(name).parts and not PurePath(name).is_absolute() and (root / name).is_file()


def folder(user: UserFolder) -> Path:
    return Path(user.folder).expanduser()


def places(user: UserFolder) -> tuple[Path, Path]:
    """Possible paths of the CSV: relative to the data folder, or to the current folder."""
    return folder(user) / Path(user.csv).expanduser(), Path(user.csv).expanduser()


def csv_path(user: UserFolder) -> Path:
    """The CSV; it must lie in the folder: a dataset is one thing to move, and to be away."""
    root = folder(user)
    for path in places(user):
        if path.is_file():
            if not path.resolve().is_relative_to(root.resolve()):
                raise UserError(f"{path} must lie in the folder {user.folder}, as all of a dataset does: move it there")
            return path
    raise UserError(f"the CSV {user.csv!r} is not in {user.folder}: correct `csv` in config.yaml")


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """(header, [(row number in the file, cells)]) without blank lines, and without blanks around a cell."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as f:
            reader = csv.reader(f)
            lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV in UTF-8: {error}") from None
    filled = [line for line in lines if any(line[1])]
    if len(filled) < 2:
        raise UserError(f"{path} has no rows: it needs a header with the columns file and label, and clips")
    return filled[0][1], filled[1:]


def _clips(
    root: Path, user: UserFolder, columns: dict[str, int], width: int, rows: list[tuple[int, list[str]]], look: bool
) -> Iterator[tuple[Clip | None, list[str]]]:
    """(clip, what is wrong with it, with its row) of every row."""
    first: dict[str, int] = {}
    for number, cells in rows:
        row = {name: cells[i] if i < len(cells) else "" for name, i in columns.items()}
        clip, wrong = clip_of(root, user, row, look)
        if any(cells[width:]):
            wrong.append("more cells than the header has columns")
        if clip is not None and clip.id in first:
            wrong.append(f"file {clip.id!r} is already in row {first[clip.id]}")
        if clip is not None:
            first.setdefault(clip.id, number)
        yield clip, [f"row {number}: {what}" for what in wrong]


def _folds_from_zero(user: UserFolder, columns: dict[str, int], rows: list[tuple[int, list[str]]]) -> list[str]:
    """One error in place of one a row, where folds are counted from 0."""
    if user.folds == 1:
        return []
    place = columns["fold"]
    found = {fold_of(cells[place]) if place < len(cells) else -1 for _, cells in rows}
    if found != set(range(user.folds)):
        return []
    return [f"column 'fold' counts from 0 to {user.folds - 1}; folds count from 1: add 1 to each"]


def _untrained(user: UserFolder, clips: list[Clip], drawn: bool) -> Iterator[str]:
    """Parts without clips, and classes that some model would be tested on, or asked for, without training clips."""
    if user.folds > 1:
        folds = {clip.fold for clip in clips}
        yield from (f"no clip is in fold {n}" for n in range(1, user.folds + 1) if n not in folds)
    else:
        splits = {clip.split for clip in clips}
        needed = ("test",) if user.task == "transcription" else ("train", "test")  # a recogniser may be off the shelf
        yield from (f"no clip has the split {name!r}: fill the column" for name in needed if name not in splits)
    parts = _parts_of_classes(user, clips)
    for name, have in parts.items():
        if not have:
            yield f"no clip has the label {name!r}: remove it from `classes`, or add clips of it"
        elif user.folds > 1 and len(have) == 1:
            yield (
                f"label {name!r} is in fold {min(have)} only: when that fold is the test set, the label has no "
                "training clip"
            )
        elif user.folds == 1 and "train" not in have:
            hint = "; the split was drawn from the files' names: add a column `split`" if drawn else ""
            yield f"label {name!r} has no training clip: it is in {' and '.join(sorted(have))} only{hint}"


def _warnings(user: UserFolder, clips: list[Clip]) -> Iterator[str]:
    """What makes numbers mean something else than they seem to."""
    if shared := divided((clip.recording, _part(clip)) for clip in clips):
        yield (
            f"clips of one recording are in several {('folds' if user.folds > 1 else 'splits')}: a model would be "
            f"tested on recordings that it was trained on: {listing(shared)}"
        )
    if user.folds == 1 and (
        untested := [n for n, have in _parts_of_classes(user, clips).items() if "test" not in have]
    ):
        yield f"classes without a test clip, for which there is no result: {listing(untested)}"


def _part(clip: Clip) -> str:
    return clip.split or str(clip.fold)


def _parts_of_classes(user: UserFolder, clips: list[Clip]) -> dict[str, set[str]]:
    """{class: the splits or folds with clips of it}."""
    found: dict[str, set[str]] = {name: set() for name in user.classes}
    for clip in clips:
        for label in clip.labels:
            found[user.classes[label]].add(_part(clip))
    return found
