"""One row of a user's CSV: the clip that it describes, and every mistake in it.

What people write in other ways is read where it can mean one thing only: Windows' backslashes, an absolute path inside
the folder, `validation` for `val`, a fold written as 1.0.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path, PurePosixPath
from typing import Literal, cast

from audioprune.facts.dataset import Clip
from audioprune.registry import nearest
from audioprune.settings.data import UserFolder

Split = Literal["train", "val", "test", ""]

SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
KNOWN_AS = {word: split for split, words in SPLITS.items() for word in words}
TEST_SHARE = 0.2


def clip_of(root: Path, user: UserFolder, row: dict[str, str], look: bool) -> tuple[Clip | None, list[str]]:
    """(clip, what is wrong with its row); no clip where the row names no file. Files are looked for with `look`."""
    if not row["file"]:
        return None, ["the file is empty"]
    file, errors = PurePosixPath(relative(root, row["file"])), []
    if file.is_absolute() or ".." in file.parts:
        errors.append(f"file {row['file']!r} lies outside the folder")
    elif look and not is_file(root / file):
        errors.append(f"file {row['file']!r} does not exist in {root}{other_spelling(root, file)}")
    names = labels(user, row.get("label", ""))
    for name in names:
        if name not in user.classes:
            errors.append(f"label {name!r} is not one of the classes{nearest(name, user.classes)}")
    if len(names) > 1 and user.task != "multilabel":
        errors.append(f"{len(names)} labels, but the task {user.task!r} takes one")
    recording = row.get("recording", "") or str(file)
    fold, split = 0, ""
    if user.folds > 1:
        fold = fold_of(row.get("fold", ""))
        if not 1 <= fold <= user.folds:
            errors.append(f"fold {row.get('fold', '')!r} is not a number from 1 to {user.folds}")
    elif "split" not in row:
        split = "test" if share(recording) < TEST_SHARE else "train"
    else:
        split = KNOWN_AS.get(row["split"].casefold(), "")
        if not split:
            errors.append(f"split {row['split']!r} is not valid{nearest(row['split'], SPLITS)}")
    clip = Clip(
        id=str(file),
        path=str(file),
        labels=tuple(sorted({user.classes.index(name) for name in names if name in user.classes})),
        fold=fold,
        split=cast(Split, split),
        recording=recording,
        speaker=row.get("speaker", "") or (names[0] if user.task == "speaker" and names else ""),
        transcript=row.get("transcript", ""),
    )
    return clip, errors


def relative(root: Path, name: str) -> str:
    """A file's name below the folder, with slashes, where it is one inside it; else as it is written."""
    name = name.replace("\\", "/")
    for folder in (root.absolute(), root.resolve()):
        if PurePosixPath(name).is_relative_to(folder.as_posix()):
            return PurePosixPath(name).relative_to(folder.as_posix()).as_posix()
    return name


def labels(user: UserFolder, cell: str) -> list[str]:
    """Names in a cell: a class with `;` in its name is one, unless the task takes several."""
    if user.task != "multilabel" and cell in user.classes:
        return [cell]
    return [name.strip() for name in cell.split(";") if name.strip()]


def fold_of(cell: str) -> int:
    """A whole number, also as tables of floats write it (1.0); -1 for anything else."""
    found = re.fullmatch(r"([0-9]{1,9})(\.0+)?", cell)
    return int(found[1]) if found else -1


def is_file(path: Path) -> bool:
    """Whether a file exists; False for a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def other_spelling(root: Path, file: PurePosixPath) -> str:
    """What to do where the folder has the file by another spelling: other Unicode, upper or lower case."""

    def plain(name: str) -> str:
        return unicodedata.normalize("NFC", name).casefold()

    try:
        names = os.listdir(root / file.parent)
    except (OSError, ValueError):
        return ""
    found = next((name for name in names if plain(name) == plain(file.name)), "")
    if not found:
        return ""
    if unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", file.name):
        form = next((form for form in ("NFC", "NFD") if unicodedata.is_normalized(form, found)), "another form")
        return (
            f": a file there has a name that looks the same but is written in other characters (Unicode {form}); "
            "rename it, or copy its name"
        )
    return f": there it is {found!r}; names are case-sensitive"


def share(name: str) -> float:
    """A fixed number in [0, 1) for a recording."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
