"""Which columns of a user's CSV are read, needed, and told as ignored."""

from __future__ import annotations

import pytest

from audioprune.planning.user_columns import errors, ignored, positions
from audioprune.settings.data import UserFolder


def user(**other) -> UserFolder:
    base = {"folder": "f", "csv": "c", "task": "environmental", "classes": ("a", "b"), "frames": 128}
    return UserFolder(**base | other)


def test_upper_case_and_blanks_are_forgiven():
    header = ["Label", " FILE ", "Split", "Recording "]
    assert positions(header, user()) == {"file": 1, "label": 0, "split": 2, "recording": 3}
    assert list(errors(header, user())) == []


EXTRA = (
    "age",
    "channel",
    "title",
    "take",
    "sample_rate",
    "filename",
    "esc10",
    "",
    "duration",
    "path",
    "gender",
    "text",
)


def test_other_columns_are_ignored_without_a_word_too_many():
    header = ["file", *EXTRA, "label"]
    assert positions(header, user()) == {"file": 0, "label": len(EXTRA) + 1}
    assert list(errors(header, user())) == []
    assert ignored(header, user()) == [name for name in EXTRA if name]


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("spilt", "split"),
        ("Folds", "fold"),
        ("recordingid", "recording"),
        ("speaker_id", "speaker"),
        ("label_id", "label"),
    ],
)
def test_a_column_that_is_perhaps_meant_is_ignored_and_told(column, meant):
    header = ["file", "label", column]
    assert list(positions(header, user())) == ["file", "label"]
    assert list(errors(header, user())) == []
    assert ignored(header, user()) == [f"{column} (rename it if {meant!r} is meant)"]


def test_columns_that_the_settings_make_idle_are_told():
    header = ["file", "label", "split", "Fold", "transcript"]
    assert ignored(header, user()) == ["Fold (folds is 1)"]
    assert ignored(header, user(folds=2)) == ["split (folds are used instead)"]
    assert "label (there is a transcript)" in ignored(header, user(task="transcription", classes=()))


COMMAS = "its cells are separated by ';'; save it with commas"


@pytest.mark.parametrize(
    ("header", "other", "found"),
    [
        ("file,lable", {}, ["no column 'label'; is it 'lable'? then rename it"]),
        ("Filename,Category", {}, [
            "no column 'file'; is it 'Filename'? then rename it", "no column 'label'; is it 'Category'? then rename it",
        ]),
        ("file,label,folds", {"folds": 2}, ["no column 'fold'; is it 'folds'? then rename it"]),
        ("file,label,split", {"folds": 2}, ["no column 'fold'; there are file, label, split"]),
        ("file,x,y", {}, ["no column 'label'; there are file, x, y"]),
        ("file,sentence", {"task": "transcription"}, ["no column 'transcript'; is it 'sentence'? then rename it"]),
        ("file,label,File", {}, ["column 'file' occurs 2 times: keep one"]),
        ("file,label,age,age", {}, []),
        ("file;label", {}, [f"no column {name!r}: {COMMAS}" for name in ("file", "label")]),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_with_what_is_perhaps_meant(header, other, found):
    assert list(errors(header.split(","), user(**other))) == found
