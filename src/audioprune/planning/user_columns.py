"""The columns of a user's CSV: which are read, which are required, and the warnings about others.

Upper case and blanks around a name do not count. Columns of other names are ignored, however near: `spilt` is told, not
guessed, by `audioprune index`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from audioprune.settings.data import UserFolder

COLUMNS = ("file", "label", "split", "fold", "recording", "speaker", "transcript")
NEAR = 0.75  # from here on a name is taken for a misspelling

# What others call the columns that are needed, the likeliest first.
USUAL = {
    "file": ("filename", "file_name", "filepath", "file_path", "path", "audio", "wav", "clip", "fname"),
    "label": ("category", "class", "class_name", "labels", "label_name", "tags", "tag", "target"),
    "transcript": ("text", "transcription", "sentence", "words"),
    "fold": ("folds", "cv_fold"),
}


def positions(header: Sequence[str], user: UserFolder) -> dict[str, int]:
    """{column that is read: its place in the header}."""
    names = [_plain(name) for name in header]
    return {name: names.index(name) for name in COLUMNS if name in names and not _idle(name, user)}


def errors(header: Sequence[str], user: UserFolder) -> Iterator[str]:
    """Columns that are needed and not there, with the one that is perhaps meant, and columns that stand twice."""
    names = [_plain(name) for name in header]
    for name in _needed(user):
        if name not in names:
            yield f"no column {name!r}{_meant(name, header)}"
    for name in positions(header, user):
        if names.count(name) > 1:
            yield f"column {name!r} occurs {names.count(name)} times: keep one"


def ignored(header: Sequence[str], user: UserFolder) -> list[str]:
    """The other columns as they are written, each with a remark where it is perhaps meant."""
    return [_remarked(name, user) for name in header if name and _plain(name) not in positions(header, user)]


def _needed(user: UserFolder) -> tuple[str, ...]:
    own = "transcript" if user.task == "transcription" else "label"
    return ("file", own, "fold") if user.folds > 1 else ("file", own)


def _idle(name: str, user: UserFolder) -> str:
    """Why a column of this name is not read under these settings, if so."""
    if name == "fold" and user.folds == 1:
        return "folds is 1"
    if name == "split" and user.folds > 1:
        return "folds are used instead"
    return "there is a transcript" if name == "label" and user.task == "transcription" else ""


def _remarked(name: str, user: UserFolder) -> str:
    if why := _idle(_plain(name), user):
        return f"{name} ({why})"
    near = difflib.get_close_matches(_plain(name), COLUMNS, n=1, cutoff=NEAR)
    return f"{name} (rename it if {near[0]!r} is meant)" if near else name


def _meant(name: str, header: Sequence[str]) -> str:
    """What to do about a column that is not there."""
    if len(header) == 1 and (marks := [mark for mark in (";", "\t", "|") if mark in header[0]]):
        return f": its cells are separated by {marks[0]!r}; save it with commas"
    others = {_plain(other): other for other in reversed(header) if other and _plain(other) not in COLUMNS}
    known = [other for other in USUAL.get(name, ()) if other in others]
    near = known or difflib.get_close_matches(name, others, n=1, cutoff=0.6)
    return f"; is it {others[near[0]]!r}? then rename it" if near else f"; there are {', '.join(filter(None, header))}"


def _plain(name: str) -> str:
    return name.strip().casefold()
