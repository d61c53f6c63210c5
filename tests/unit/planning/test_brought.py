"""What of a user's data is in the key of its cells, and what makes them pending."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audioprune.errors import UserError
from audioprune.planning.stages import PENDING, Planner
from audioprune.planning.study import study_of
from audioprune.sources import manifest
from tests import REPOSITORY
from tests.fakes.mine import LABELS, NAMES, SWAPPED, config, fetched, index, make, planned, sound
from tests.weights import weights

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder that was indexed with labels.csv."""
    made = make(tmp_path / "base")
    index(config(made))
    return made


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Names of the files that are hashed from here on."""
    seen, original = [], manifest.sha256_file
    monkeypatch.setattr(manifest, "sha256_file", lambda path: seen.append(path.name) or original(path))
    return seen


def key(folder: Path | str, *arguments, **user) -> str:
    """The key of the audio cell, which is not pending."""
    cell = planned(config(folder, *arguments, **user))
    assert not cell.note
    return cell.key


def pending(folder: Path | str, *arguments, **user) -> str:
    """Why the audio cell is pending."""
    cell = planned(config(folder, *arguments, **user))
    assert cell.digests == {"content": PENDING}
    assert "not indexed" in cell.note  # what `audioprune plan` looks for
    assert "audioprune index mine" in cell.note
    assert "\n" not in cell.note
    return cell.note


# --- which CSV is read, by what it says ------------------------------------------------------------------------------


def test_two_csvs_of_one_folder_give_two_keys(tmp_path):
    folder = make(tmp_path / "two", first=LABELS, second=SWAPPED)
    keys = {}
    for csv in ("first.csv", "second.csv"):
        index(config(folder, csv))
        keys[csv] = key(folder, csv)
    assert keys["first.csv"] != keys["second.csv"]
    index(config(folder, "first.csv"))
    assert key(folder, "first.csv") == keys["first.csv"]


def test_what_is_made_from_the_audio_of_another_csv_has_another_key_too(tmp_path):
    folder = make(tmp_path / "two", first=LABELS, second=SWAPPED)
    cells = []
    for csv in ("first.csv", "second.csv"):
        index(config(folder, csv))
        cells.append(study_of(Planner(config(folder, csv)), "mine").all.values())
    kinds = ("audio", "features", "finetune", "evaluate")
    first, second = ({(c.kind, c.address): c.key for c in made if c.kind in kinds} for made in cells)
    assert {kind for kind, _ in first} == set(kinds)
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())


def test_another_csv_is_pending_until_it_is_indexed(tmp_path):
    folder = make(tmp_path / "two", first=LABELS, second=SWAPPED)
    index(config(folder, "first.csv"))
    why = pending(folder, "second.csv")
    assert f"config.yaml names {folder / 'second.csv'}, but {folder / 'first.csv'} was indexed" in why


def test_a_csv_that_does_not_exist_is_pending_and_cannot_be_indexed(folder):
    assert "the CSV 'other.csv' is not in" in pending(folder, "other.csv")
    with pytest.raises(UserError, match=r"the CSV 'other.csv' is not in .*: correct `csv` in config.yaml"):
        index(config(folder, "other.csv"))
    (folder / "labels.csv").unlink()
    assert "the CSV 'labels.csv' is not in" in pending(folder)


SAME = {
    "a blank last line": LABELS + "\n",
    "blank lines and a row of empty cells": LABELS.replace("\n", "\n\n") + ",,\n",
    "no newline at the end": LABELS.rstrip("\n"),
    "another quoting": "".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in LABELS.splitlines()
    ),
    "as spreadsheets write it": "\ufeff" + LABELS.replace("\n", "\r\n"),
    "other columns": "".join(f"{line},{i},x\n" for i, line in enumerate(LABELS.splitlines())).replace("0,x", "age,", 1),
    "another order of columns": "".join(
        ",".join(reversed(line.split(","))) + "\n" for line in LABELS.splitlines()
    ),
    "upper case and blanks in the header": LABELS.replace("file,label,split", " File ,LABEL, Split"),
    "blanks around cells": LABELS.replace(",", " , "),
    "a recording for each file, as without one": "".join(
        f"{line},{line.partition(',')[0]}\n" for line in LABELS.splitlines()
    ).replace("split,file", "split,recording", 1),
    "another way to write a path": LABELS.replace("c00.wav", "./c00.wav"),
}  # fmt: skip


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_what_is_not_read_changes_nothing(folder, text):
    before = key(folder)
    (folder / "labels.csv").write_bytes(text.encode())
    assert key(folder) == before
    index(config(folder))
    assert key(folder) == before


OTHER = {
    "a label": LABELS.replace("c00.wav,a", "c00.wav,b"),
    "a split": LABELS.replace("c01.wav,b,train", "c01.wav,b,val"),
    "no split": "".join(line.rpartition(",")[0] + "\n" for line in LABELS.splitlines()),
    "a speaker": "".join(f"{line},ann\n" for line in LABELS.splitlines()).replace("split,ann", "split,speaker"),
    "the order of rows": "\n".join([LABELS.splitlines()[0], *reversed(LABELS.splitlines()[1:])]),
    "a row less": LABELS.rpartition("c07.wav")[0],
}


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_what_is_read_is_seen_at_the_next_planning(folder, text):
    before = key(folder)
    (folder / "labels.csv").write_text(text)
    after = key(folder)
    assert after != before
    (folder / "labels.csv").write_text(LABELS)
    assert key(folder) == before


def test_the_name_and_the_place_of_the_same_csv_and_folder_are_in_no_key(folder, tmp_path):
    before = key(folder)
    shutil.copytree(folder, tmp_path / "moved")
    (tmp_path / "moved" / "labels.csv").rename(tmp_path / "moved" / "renamed.csv")
    index(config(tmp_path / "moved", "renamed.csv"))
    assert key(tmp_path / "moved", "renamed.csv") == before


# --- the place that was indexed ---------------------------------------------------------------------------------------


def test_another_folder_is_pending_until_it_is_indexed(folder, tmp_path):
    before = key(folder)
    other = make(tmp_path / "folder_changed", seed=100)
    assert f"config.yaml names {other}, but {folder} was indexed" in pending(other)
    index(config(other))
    assert key(other) != before
    assert f"config.yaml names {folder}, but {other} was indexed" in pending(folder)


def test_a_folder_that_does_not_exist_is_not_the_one_that_was_indexed(folder, tmp_path):
    gone = tmp_path / "gone"
    assert f"config.yaml names {gone} (which does not exist), but {folder} was indexed" in pending(gone)


def test_places_are_compared_with_links_followed(folder, tmp_path):
    before, link = key(folder), tmp_path / "link"
    link.symlink_to(folder)
    assert key(link) == before
    assert key("../base/../base") == before
    other = make(tmp_path / "other", seed=100)
    link.unlink()
    link.symlink_to(other)
    assert f"names {other}, but {folder} was indexed" in pending(link)


def test_the_csv_may_be_named_from_where_we_are(folder):
    before = key(folder)
    assert key("../base", "../base/labels.csv") == before
    assert key(folder, str(folder / "labels.csv")) == before
    folder.rename(folder.with_name("away"))
    assert key("../base", "../base/labels.csv") == before


def test_a_project_that_moves_with_its_data_needs_no_new_index(tmp_path, monkeypatch):
    make(Path("birds"))
    index(config("birds", "birds/labels.csv"))
    before = key("birds", "birds/labels.csv")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").rename(tmp_path / "there")
    monkeypatch.chdir(tmp_path / "there")
    assert key("birds", "birds/labels.csv") == before


def test_a_data_folder_and_a_checkpoint_named_elsewhere_are_pending(tmp_path):
    for name in ("one", "two"):
        sound(tmp_path / name / "wav" / "a.wav", seed=len(name) + ord(name[0]))
        weights(tmp_path / f"{name}.pth", "ast-b", value=len(name) + ord(name[0]))
    for source, option in (("voxceleb1", "data"), ("checkpoint-ast-b", "checkpoints")):
        suffix, named = (".pth", "ast-b") if option == "checkpoints" else ("", "voxceleb1")

        def chosen(name, option=option, suffix=suffix, named=named):
            return config(**{option: {named: f"{tmp_path / name}{suffix}"}})

        assert fetched(chosen("one"), source).note == f"its data is not indexed yet: audioprune index {source}"
        index(chosen("one"), source)
        before = fetched(chosen("one"), source)
        assert not before.note
        for other, gone in (("two", ""), ("gone", " (which does not exist)")):
            cell = fetched(chosen(other), source)
            assert cell.key != before.key
            assert cell.note == (
                f"not indexed: config.yaml names {tmp_path / other}{suffix}{gone}, but {tmp_path / 'one'}{suffix} "
                f"was indexed: audioprune index {source}"
            )
        assert fetched(config(), source).key == before.key  # nothing is named: what was indexed stands
        index(chosen("two"), source)
        assert fetched(chosen("two"), source).key not in (before.key, cell.key)


# --- which files count ------------------------------------------------------------------------------------------------


def test_files_that_no_row_names_change_nothing(folder, hashed):
    before = key(folder)
    (folder / "notes.txt").write_text("buy milk")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"x")
    (folder / "other.csv").write_text("file,label\n")
    sound(folder / "unlisted.wav")
    assert key(folder) == before
    assert hashed == []


def test_hidden_files_that_a_row_names_are_pinned(tmp_path):
    names = (*NAMES, ".y.wav", ".h/x.wav")
    folder = make(tmp_path / "hidden", names, labels=LABELS + ".h/x.wav,a,test\n.y.wav,b,test\n")
    index(config(folder))
    keys = [key(folder)]
    for name in (".y.wav", ".h/x.wav"):
        sound(folder / name, seed=50)
        keys.append(key(folder))
    assert len(set(keys)) == 3


def test_one_byte_of_a_listed_file_counts_and_a_touch_does_not(folder, hashed):
    before = key(folder)
    os.utime(folder / "c03.wav", ns=(1, 1))
    assert key(folder) == before
    assert hashed == ["c03.wav"]
    data = bytearray((folder / "c03.wav").read_bytes())
    data[-1] ^= 1
    (folder / "c03.wav").write_bytes(bytes(data))
    assert key(folder) != before


def test_a_newly_listed_file_is_hashed_alone_and_without_indexing_again(folder, hashed):
    before = key(folder)
    sound(folder / "new.wav", seed=9)
    (folder / "labels.csv").write_text(LABELS + "new.wav,a,train\n")
    assert key(folder) != before
    assert hashed == ["new.wav"]


def test_a_listed_file_that_is_not_there_is_said_before_any_job(folder):
    (folder / "c03.wav").unlink()
    (folder / "c05.wav").unlink()
    why = pending(folder)
    assert f"{folder / 'labels.csv'} lists files that are not there: 2, the first is c03.wav" in why
    with pytest.raises(UserError, match=r"row 5: file 'c03.wav' does not exist"):
        index(config(folder))


def test_mistakes_in_the_csv_are_said_before_any_job(folder):
    before = key(folder)
    (folder / "labels.csv").write_text(LABELS.replace("c00.wav,a", "c00.wav,A").replace("test", "tests"))
    why = pending(folder)
    assert "labels.csv has 3 errors: row 2: label 'A' is not one of the classes" in why
    (folder / "labels.csv").write_text(LABELS)
    assert key(folder) == before


# --- planning needs no data, and little time --------------------------------------------------------------------------


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_data_that_is_away_stands_as_it_was_indexed(folder, left):
    before = key(folder)
    folder.rename(folder.with_name("unmounted"))
    if left == "an empty folder":  # where a disk would be mounted
        folder.mkdir()
    assert key(folder) == before
    assert f"names {folder / 'other.csv'}, but {folder / 'labels.csv'} was indexed" in pending(folder, "other.csv")


def test_a_second_planning_hashes_and_writes_nothing(folder, hashed):
    key(folder)
    before = manifest.path_of("mine").stat()
    key(folder)
    assert hashed == []
    assert manifest.path_of("mine").stat() == before


def test_planning_where_nothing_can_be_written(folder, monkeypatch):
    def refuses(path, text):
        raise PermissionError(13, "Permission denied", str(path))

    before = key(folder)
    monkeypatch.setattr(manifest, "write_text", refuses)
    sound(folder / "c00.wav", seed=99)
    assert key(folder) != before


def test_planning_a_users_folder_loads_nothing_heavy(folder):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from audioprune.config.file import load\n"
        "from audioprune.planning.stages import Planner\n"
        "from audioprune.settings.data import UserFolder\n"
        f"config = load(Path({str(REPOSITORY / 'config.yaml')!r}))\n"
        f"own = {{'folder': {str(folder)!r}, 'csv': 'labels.csv', 'task': 'environmental', 'frames': 128}}\n"
        "user = UserFolder(classes=('a', 'b'), **own)\n"
        "cell = Planner(config.model_copy(update={'datasets': {'mine': user}})).audio('mine')\n"
        "assert not cell.note, cell.note\n"
        "heavy = {'torch', 'numpy', 'pandas', 'scipy', 'soundfile', 'requests'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- manifests of another version -------------------------------------------------------------------------------------


def test_a_manifest_of_version_1_says_index_again_and_its_hashes_are_taken_over(folder, hashed):
    before, path = key(folder), manifest.path_of("mine")
    text = path.read_text()
    assert '"version": 2' in text
    path.write_text(text.replace('"version": 2', '"version": 1'))
    assert "version 1, not 2" in pending(folder)
    index(config(folder))
    assert hashed == []
    assert key(folder) == before
