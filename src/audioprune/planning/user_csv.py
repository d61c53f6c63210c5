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
from pathlib import Path, PurePosixPath

from audioprune.errors import UserError
from audioprune.facts.dataset import Clip
from audioprune.planning import user_columns
from audioprune.registry import nearest
from audioprune.settings import UserFolder

SPLITS = ("train", "val", "test")
KEYED = ("id", "labels", "fold", "split", "recording", "speaker", "transcript")  # all that a clip has from its row
SHOWN = 50  # errors printed at once
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Table:
    path: Path
    clips: list[Clip]  # in the rows' order
    columns: tuple[str, ...]  # those that are read
    ignored: tuple[str, ...]  # the others, as they are written, with remarks

    @property
    def digest(self) -> str:
        """Of what is read, and of nothing else in the file: the same clips, the same digest."""
        rows = [[getattr(clip, name) for name in KEYED] for clip in self.clips]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    @property
    def told(self) -> str:
        ignored = f"; ignores {', '.join(self.ignored)}" if self.ignored else ""
        return f"{self.path}: reads the columns {', '.join(self.columns)}{ignored}"


def read(user: UserFolder, *, look: bool = True) -> Table:
    """The CSV, parsed; raises one UserError that lists every mistake with its row.

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
        for clip, wrong in _clips(root if look else None, user, columns, len(header), rows):
            errors += wrong
            found += [clip] if clip else []
    if not errors:
        errors = list(_parts_missing(user, found))
    if errors:
        more = f"\n  and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
        shown = "".join(f"\n  {error}" for error in errors[:SHOWN])
        raise UserError(f"{path} has {len(errors)} error{'s' * (len(errors) > 1)}:{shown}{more}")
    return Table(path, found, tuple(columns), tuple(user_columns.ignored(header, user)))


def folder(user: UserFolder) -> Path:
    return Path(user.folder).expanduser()


def places(user: UserFolder) -> tuple[Path, Path]:
    """Where the CSV may lie: relative to the folder, or to where we are."""
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
    root: Path | None, user: UserFolder, columns: dict[str, int], width: int, rows: list[tuple[int, list[str]]]
) -> Iterator[tuple[Clip | None, list[str]]]:
    """(clip, what is wrong with it, with its row) of every row."""
    first: dict[str, int] = {}
    for number, cells in rows:
        clip, wrong = _clip(root, user, {name: cells[i] if i < len(cells) else "" for name, i in columns.items()})
        if any(cells[width:]):
            wrong.append("more cells than the header has columns")
        if clip is not None and clip.id in first:
            wrong.append(f"file {clip.id!r} stands already in row {first[clip.id]}")
        if clip is not None:
            first.setdefault(clip.id, number)
        yield clip, [f"row {number}: {what}" for what in wrong]


def _is_file(path: Path) -> bool:
    """Whether a file is there; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _clip(root: Path | None, user: UserFolder, row: dict[str, str]) -> tuple[Clip | None, list[str]]:
    """(clip, what is wrong with its row); no clip where the row names no file."""
    file, errors = PurePosixPath(row["file"]), []
    if not row["file"]:
        return None, ["the file is empty"]
    if file.is_absolute() or ".." in file.parts:
        errors.append(f"file {row['file']!r} leads out of the folder")
    elif root is not None and not _is_file(root / file):
        errors.append(f"file {row['file']!r} does not exist in {root}")
    names = [name.strip() for name in row.get("label", "").split(";") if name.strip()]
    for name in names:
        if name not in user.classes:
            errors.append(f"label {name!r} is not one of the classes{nearest(name, user.classes)}")
    if len(names) > 1 and user.task != "multilabel":
        errors.append(f"{len(names)} labels, but the task {user.task!r} takes one")
    split, fold, recording = row.get("split", ""), row.get("fold", ""), row.get("recording", "")
    if user.folds > 1:
        if not (fold.isdecimal() and 1 <= int(fold) <= user.folds):
            errors.append(f"fold {fold!r} is not a number from 1 to {user.folds}")
    elif "split" not in row:
        split = "test" if _share(recording or str(file)) < TEST_SHARE else "train"
    elif split not in SPLITS:
        errors.append(f"split {split!r} is not valid{nearest(split, SPLITS)}")
    clip = Clip(
        id=str(file),
        path=str(file),
        labels=tuple(sorted({user.classes.index(name) for name in names if name in user.classes})),
        fold=int(fold) if fold.isdecimal() else 0,
        split=split,  # type: ignore[arg-type]  # one of SPLITS, or an error was listed
        recording=recording or str(file),
        speaker=row.get("speaker", "") or (names[0] if user.task == "speaker" and names else ""),
        transcript=row.get("transcript", ""),
    )
    return clip, errors


def _share(name: str) -> float:
    """A fixed number in [0, 1) for a recording."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def _parts_missing(user: UserFolder, found: list[Clip]) -> Iterator[str]:
    if user.folds > 1:
        have = {clip.fold for clip in found}
        yield from (f"no clip is in fold {n}" for n in range(1, user.folds + 1) if n not in have)
    else:
        splits = {clip.split for clip in found}
        yield from (
            f"no clip has the split {name!r}: fill the column" for name in ("train", "test") if name not in splits
        )
