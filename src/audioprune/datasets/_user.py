"""A user's own data: a folder of audio files and a CSV in it, no code.

Columns: file (relative to the folder), label (several joined by ";"); optional split (train, val, test), fold,
recording, speaker, transcript. A clip without a label is listed without one: decoding reports it by name.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from audioprune.datasets._base import Clip, Dataset
from audioprune.errors import UserError
from audioprune.registry import nearest
from audioprune.settings import UserFolder

COLUMNS = ("file", "label", "split", "fold", "recording", "speaker", "transcript")
SPLITS = ("train", "val", "test")
SHOWN = 50  # errors printed at once
TEST_SHARE = 0.2


@dataclass(frozen=True)
class _Table:
    rows: list[tuple[int, dict[str, str]]]  # (row number in the file, cells)
    columns: tuple[str, ...]
    errors: list[str]


def clips(user: UserFolder) -> list[Clip]:
    """The CSV's clips, in its order; raises one UserError that lists every mistake with its row.

    Without folds and without a split column, one recording in five (by a hash of its name) is the test set.
    """
    root = Path(user.folder).expanduser()
    if not root.is_dir():
        raise UserError(f"the folder {user.folder!r} does not exist: correct `folder` in config.yaml")
    path = csv_path(user)
    table = _read(path, user)
    errors, found, first = list(table.errors), [], {}
    for number, row in table.rows:
        clip, wrong = _clip(root, user, row)
        if clip is not None and clip.id in first:
            wrong.append(f"file {clip.id!r} stands already in row {first[clip.id]}")
        errors += [f"row {number}: {what}" for what in wrong]
        if clip is not None:
            first.setdefault(clip.id, number)
            found.append(clip)
    if not errors:
        errors = list(_parts_missing(user, found))
    if errors:
        more = f"\n  and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
        shown = "".join(f"\n  {error}" for error in errors[:SHOWN])
        raise UserError(f"{path} has {len(errors)} error{'s' * (len(errors) > 1)}:{shown}{more}")
    return found


def csv_path(user: UserFolder) -> Path:
    """The CSV: relative to the folder, or to where we are; it must lie in the folder, whose manifest pins it."""
    root = Path(user.folder).expanduser()
    for path in (root / Path(user.csv).expanduser(), Path(user.csv).expanduser()):
        if path.is_file():
            if not path.resolve().is_relative_to(root.resolve()):
                raise UserError(f"{path} must lie in the folder {user.folder}, whose manifest pins it: move it there")
            return path
    raise UserError(f"the CSV {user.csv!r} is not in {user.folder}: correct `csv` in config.yaml")


def _read(path: Path, user: UserFolder) -> _Table:
    try:
        with open(path, newline="", encoding="utf-8-sig") as f:
            reader = csv.DictReader(f)
            columns = tuple(name.strip() for name in reader.fieldnames or ())
            reader.fieldnames = columns
            rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV in UTF-8: {error}") from None
    if not rows:
        raise UserError(f"{path} has no rows: it needs a header with the columns {', '.join(COLUMNS[:2])} and clips")
    errors = [f"no column {name!r}" for name in _needed(user) if name not in columns]
    for name in columns:
        hint = nearest(name.lower(), COLUMNS)
        if name not in COLUMNS and hint.startswith("; did you mean"):
            errors.append(f"column {name!r} is not known{hint}")
    clean = [(n, {k: (v or "").strip() for k, v in row.items() if isinstance(k, str)}) for n, row in rows]
    errors += [f"row {n}: more cells than the header has columns" for n, row in rows if None in row]
    return _Table(clean if set(_needed(user)) <= set(columns) else [], columns, errors)


def _needed(user: UserFolder) -> tuple[str, ...]:
    own = "transcript" if user.task == "transcription" else "label"
    return ("file", own, "fold") if user.folds > 1 else ("file", own)


def _clip(root: Path, user: UserFolder, row: dict[str, str]) -> tuple[Clip | None, list[str]]:
    """(clip, what is wrong with its row); no clip where the row names no file."""
    file, errors = PurePosixPath(row["file"]), []
    if not row["file"]:
        return None, ["the file is empty"]
    if file.is_absolute() or ".." in file.parts:
        errors.append(f"file {row['file']!r} leads out of the folder")
    elif not (root / file).is_file():
        errors.append(f"file {row['file']!r} does not exist in {root}")
    names = [name.strip() for name in row.get("label", "").split(";") if name.strip()]
    for name in names:
        if user.task != "transcription" and name not in user.classes:
            errors.append(f"label {name!r} is not one of the classes{nearest(name, user.classes)}")
    if len(names) > 1 and user.task not in ("multilabel", "transcription"):
        errors.append(f"{len(names)} labels, but the task {user.task!r} takes one")
    split, fold, recording = row.get("split", ""), row.get("fold", ""), row.get("recording", "")
    if user.folds > 1:
        split = ""
        if not (fold.isdecimal() and 1 <= int(fold) <= user.folds):
            errors.append(f"fold {fold!r} is not a number from 1 to {user.folds}")
    elif "split" not in row:
        split = "test" if _share(recording or str(file)) < TEST_SHARE else "train"
    elif split not in SPLITS:
        errors.append(f"split {split!r} is not valid{nearest(split, SPLITS)}")
    labels = () if user.task == "transcription" else names
    clip = Clip(
        id=str(file),
        path=str(file),
        labels=tuple(sorted({user.classes.index(name) for name in labels if name in user.classes})),
        fold=int(fold) if user.folds > 1 and fold.isdecimal() else 0,
        split=split,
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
        have = {clip.split for clip in found}
        yield from (
            f"no clip has the split {name!r}: fill the column" for name in ("train", "test") if name not in have
        )


def facts(name: str, user: UserFolder) -> Dataset:
    """What a user's folder is, in the terms of a built-in dataset."""
    return Dataset(
        name=name,
        task=user.task,
        classes=user.classes,
        frames=user.frames,
        folds=user.folds,
        loss="bce" if user.task == "multilabel" else "ce",
        metric={"multilabel": "map", "transcription": "wer"}.get(user.task, "top1"),
    )
