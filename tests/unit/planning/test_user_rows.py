"""What people write in tables of labels: read where it can mean one thing, else told with the remedy."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from audioprune.errors import UserError
from audioprune.planning import user_csv
from audioprune.planning.user_csv import Table
from audioprune.settings.data import UserFolder

NAMES = tuple(f"c{i}.wav" for i in range(8))


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "mine"
    root.mkdir()
    for name in NAMES:
        (root / name).touch()
    return root


def table(folder: Path, rows: str, /, **other) -> Table:
    (folder / "labels.csv").write_text(rows, encoding="utf-8")
    base = {"folder": str(folder), "csv": "labels.csv", "task": "environmental", "classes": ("a", "b"), "frames": 128}
    return user_csv.read(UserFolder(**base | other))


def errors(folder: Path, rows: str, **other) -> list[str]:
    with pytest.raises(UserError) as caught:
        table(folder, rows, **other)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def labelled(form: str = "{name},{label}", head: str = "file,label", **more) -> str:
    """A table of all files, a and b in turn."""
    rows = (form.format(name=name, label="ab"[i % 2], i=i, half=i // 4, **more) for i, name in enumerate(NAMES))
    return "\n".join([head, *rows]) + "\n"


def split(*words: str) -> str:
    """All files, a and b in turn, with these words for the splits of two files each, over and over."""
    rows = (f"{name},{'ab'[i % 2]},{words[i // 2 % len(words)]}" for i, name in enumerate(NAMES))
    return "\n".join(["file,label,split", *rows]) + "\n"


# --- read as it is meant ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [".\\{name},{label}", "{root}/{name},{label}", "{root}\\{name},{label}"])
def test_paths_of_windows_and_absolute_ones_inside_the_folder(folder, form):
    found = table(folder, labelled(form, root=folder))
    assert [clip.path for clip in found.clips] == list(NAMES)
    assert found.digest == table(folder, labelled()).digest


def test_an_absolute_path_by_a_link_to_the_folder(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    text = labelled("{root}/{name},{label}", root=folder)
    assert [clip.path for clip in table(folder, text, folder=str(tmp_path / "link")).clips] == list(NAMES)
    assert errors(folder, labelled("{root}/{name},{label}", root="/elsewhere"))[0] == (
        "row 2: file '/elsewhere/c0.wav' lies outside the folder"
    )


def test_other_words_for_splits(folder):
    plain = table(folder, split("train", "val", "test", "train"))
    assert [clip.split for clip in plain.clips] == ["train"] * 2 + ["val"] * 2 + ["test"] * 2 + ["train"] * 2
    assert table(folder, split("Training", "validation", "TEST", "train")).digest == plain.digest
    assert table(folder, split("train", "valid", "testing", "train")).digest == plain.digest
    assert table(folder, split("train", "dev", "test", "train")).digest == plain.digest
    assert errors(folder, split("train", "evaluation"))[0].startswith("row 4: split 'evaluation' is not valid")


def test_folds_as_tables_of_floats_write_them(folder):
    text = "file,label,fold\n" + "".join(f"{name},{'ab'[i % 2]},{i // 4 + 1}.0\n" for i, name in enumerate(NAMES))
    assert [clip.fold for clip in table(folder, text, folds=2).clips] == [1] * 4 + [2] * 4
    assert table(folder, text, folds=2).digest == table(folder, text.replace(".0", ""), folds=2).digest
    assert errors(folder, text.replace("1.0", "1.5"), folds=2)[0] == "row 2: fold '1.5' is not a number from 1 to 2"


def test_a_class_with_a_semicolon_and_one_with_marks(folder):
    classes = ('Speech, "loud" <b>', "R&B; soul")
    text = labelled("{name},{label}").replace(",a\n", ',"Speech, ""loud"" <b>"\n').replace(",b\n", ",R&B; soul\n")
    assert [clip.labels for clip in table(folder, text, classes=classes).clips] == [(0,), (1,)] * 4
    assert errors(folder, labelled().replace(",a\n", ",a; b\n"))[0] == (
        "row 2: 2 labels, but the task 'environmental' takes one"
    )


# --- told, with the remedy -------------------------------------------------------------------------------------------


def test_folds_from_zero_are_told_once(folder):
    text = labelled("{name},{label},{half}", "file,label,fold")
    assert errors(folder, text, folds=2) == ["column 'fold' counts from 0 to 1; folds count from 1: add 1 to each"]


@pytest.mark.parametrize(("there", "written"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_name_in_other_letters_of_unicode(folder, there, written):
    (folder / unicodedata.normalize(there, "caf\u00e9.wav")).touch()
    name = unicodedata.normalize(written, "caf\u00e9.wav")
    (found,) = errors(folder, labelled() + f"{name},a\n")
    assert found.startswith(f"row 10: file {name!r} does not exist")
    assert f"Unicode {there}" in found


def test_a_name_in_upper_case(folder):
    assert errors(folder, labelled() + "C0.WAV,a\n")[0].endswith("there it is 'c0.wav'; names are case-sensitive")


def test_cells_separated_by_semicolons(folder):
    told = "its cells are separated by ';'; save it with commas"
    assert errors(folder, labelled().replace(",", ";")) == [f"no column {name!r}: {told}" for name in ("file", "label")]


# --- classes that no model could learn, or that no number is of ------------------------------------------------------


def test_a_class_without_training_clips(folder):
    text = "file,label,split\n" + "".join(
        f"{name},{'ab'[i % 2]},{('train', 'test')[i % 2]}\n" for i, name in enumerate(NAMES)
    )
    assert errors(folder, text) == ["label 'b' has no training clip: it is in test only"]


def test_a_class_that_a_drawn_split_leaves_without_training_clips(folder):
    """By their names' hashes, 0.wav, 1.wav and 3.wav of 0 to 7 are for testing."""
    for i in range(8):
        (folder / f"{i}.wav").touch()
    rows = "".join(f"{i}.wav,{'b' if i in (1, 3) else 'a'}\n" for i in range(8))
    (told,) = errors(folder, "file,label\n" + rows)
    assert told == (
        "label 'b' has no training clip: it is in test only; the split was drawn from the files' names: "
        "add a column `split`"
    )


def test_a_class_that_no_clip_has(folder):
    assert errors(folder, labelled().replace(",b", ",a")) == [
        "no clip has the label 'b': remove it from `classes`, or add clips of it"
    ]


def test_a_class_in_one_fold_alone(folder):
    text = "file,label,fold\n" + "".join(f"{name},{'ab'[i // 6]},{i % 2 + 1}\n" for i, name in enumerate(NAMES))
    assert len(table(folder, text, folds=2).clips) == 8
    alone = text.replace("c7.wav,b,2", "c7.wav,a,2")
    assert errors(folder, alone, folds=2) == [
        "label 'b' is in fold 1 only: when that fold is the test set, the label has no training clip"
    ]


def test_a_class_without_test_clips_is_a_warning(folder):
    found = table(folder, split("train", "train", "train", "test").replace("c7.wav,b", "c7.wav,a"))
    assert found.warnings == ("classes without a test clip, for which there is no result: b",)
    assert found.told.endswith(found.warnings[0])


def test_a_recording_in_several_splits_or_folds_is_a_warning_by_name(folder):
    rows = ["file,label,split,recording"]
    rows += [f"{name},{'ab'[i % 2]},{'train' if i < 6 else 'test'},rec{i % 3}" for i, name in enumerate(NAMES)]
    (told,) = table(folder, "\n".join(rows)).warnings
    assert told.startswith("clips of one recording are in several splits")
    assert told.endswith(": rec0, rec1")  # the test clips are 6 and 7
    text = "file,label,fold,recording\n" + "".join(
        f"{n},{'ab'[i % 2]},{i // 4 + 1},r{i // 2}\n" for i, n in enumerate(NAMES)
    )
    assert table(folder, text, folds=2).warnings == ()
    (told,) = table(folder, text.replace("c4.wav,a,2,r2", "c4.wav,a,2,r1"), folds=2).warnings
    assert told.endswith("several folds: a model would be tested on recordings that it was trained on: r1")
