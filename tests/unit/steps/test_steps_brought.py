"""Jobs read data that the user brings as it was planned, or refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audioprune import records, registry
from audioprune.audio.store import WaveformStore
from audioprune.datasets import as20k
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip
from audioprune.settings.data import AudioSettings
from audioprune.sources import manifest
from audioprune.sources.place import pinned, root_of
from audioprune.steps import audio as step
from audioprune.steps._run import Job
from audioprune.steps.fetch import fetch
from tests.fakes.mine import LABELS, NAMES, SWAPPED, config, fetched, index, job, make, planned, sound
from tests.weights import weights

CHANGED = "what lies in .* is not what this job was planned for.*run `audioprune index mine`"

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def folder(tmp_path) -> Path:
    made = make(tmp_path / "base", (*NAMES, ".y.wav"), labels=LABELS + ".y.wav,b,test\n", second=SWAPPED)
    index(config(made))
    return made


def decode(cell, out: Path) -> dict:
    return step.audio(job(cell, out))


def test_what_was_planned_is_decoded(folder, tmp_path, caplog):
    caplog.set_level("INFO", "audioprune")
    results = decode(planned(config(folder)), tmp_path / "out")
    assert results["splits"] == {"test": 3, "train": 6}
    store = WaveformStore.open(tmp_path / "out")
    assert store.clips["clip"].tolist() == [*NAMES, ".y.wav"]
    assert np.array_equal(store.waveform(8), soundfile.read(folder / ".y.wav", dtype="float32")[0])
    assert "labels.csv: reads the columns file, label, split" in caplog.text


def test_each_csv_of_one_folder_gives_its_own_labels_and_split(tmp_path):
    folder = make(tmp_path / "two", first=LABELS, second=SWAPPED)
    for csv, labels, tested in (("first.csv", [0, 1] * 4, 2), ("second.csv", [1, 0] * 4, 4)):
        index(config(folder, csv))
        decode(planned(config(folder, csv)), tmp_path / csv)
        clips = WaveformStore.open(tmp_path / csv).clips
        assert [list(own) for own in clips["labels"]] == [[label] for label in labels]
        assert clips["split"].tolist() == ["train"] * (8 - tested) + ["test"] * tested


def relabel(folder: Path) -> None:
    (folder / "labels.csv").write_text(SWAPPED)


def lengthen(folder: Path) -> None:
    soundfile.write(folder / "c01.wav", np.linspace(0, 0.1, 900), 16000)


def another_sound(folder: Path) -> None:
    sound(folder / ".y.wav", seed=70)


@pytest.mark.parametrize("change", [relabel, lengthen, another_sound])
def test_a_change_between_planning_and_the_job_is_refused(folder, tmp_path, change):
    cell = planned(config(folder))
    change(folder)
    with pytest.raises(UserError, match=CHANGED):
        decode(cell, tmp_path / "out")
    index(config(folder))  # even where it was indexed in between
    with pytest.raises(UserError, match=CHANGED):
        decode(cell, tmp_path / "again")
    assert decode(planned(config(folder)), tmp_path / "planned")["clips"] in (8, 9)


def test_what_is_not_read_may_change(folder, tmp_path):
    cell = planned(config(folder))
    (folder / "labels.csv").write_text((folder / "labels.csv").read_text() + "\n")
    (folder / "notes.txt").write_text("buy milk")
    assert decode(cell, tmp_path / "out")["clips"] == 9


@pytest.mark.parametrize("change", [relabel, lengthen])
def test_a_change_while_it_is_read_is_refused(folder, tmp_path, monkeypatch, change):
    cell, write = planned(config(folder)), step.write_store

    def slow(*arguments):
        found = write(*arguments)
        change(folder)
        return found

    monkeypatch.setattr(step, "write_store", slow)
    with pytest.raises(UserError, match=CHANGED):
        decode(cell, tmp_path / "out")


def test_what_was_not_indexed_is_not_read(folder, tmp_path):
    other = make(tmp_path / "other", seed=40)
    with pytest.raises(UserError, match=f"config.yaml names {other}, but {folder} was indexed: audioprune index mine"):
        decode(planned(config(other)), tmp_path / "out")
    with pytest.raises(UserError, match=r"names .*second.csv, but .*labels.csv was indexed"):
        decode(planned(config(folder, "second.csv")), tmp_path / "out2")
    waiting = planned(config(other))
    index(config(other))
    with pytest.raises(UserError, match=CHANGED):  # planned as pending, indexed since: its key says nothing
        decode(waiting, tmp_path / "out3")
    manifest.path_of("mine").unlink()
    with pytest.raises(UserError, match="its data is not indexed yet"):
        decode(waiting, tmp_path / "out4")


def test_a_job_does_not_write_the_manifest(folder, tmp_path):
    cell, before = planned(config(folder)), manifest.path_of("mine").read_bytes()
    (folder / "c00.wav").touch()
    decode(cell, tmp_path / "out")
    assert manifest.path_of("mine").read_bytes() == before


# --- folders and checkpoints of sources that cannot be fetched --------------------------------------------------------


@pytest.fixture
def audioset(tmp_path) -> Path:
    """A folder with lists in AudioSet's format and two sounds, indexed."""
    root = tmp_path / "audioset"
    for i, name in enumerate(("a.wav", "b.wav")):
        sound(root / name, i)
    rows = [f"{i},/m/{i:03},name {i}" for i in range(527)]
    (root / "class_labels_indices.csv").write_text("\n".join(["index,mid,display_name", *rows]))
    for name, wav in (("as20k_16k", "a.wav"), ("audioset_eval", "b.wav")):
        (root / f"{name}.json").write_text(json.dumps({"data": [{"wav": wav, "labels": "/m/001"}]}))
    index(chosen(root), "as20k")
    return root


def chosen(root: Path):
    return config(data={"as20k": str(root)})


def made(cell, out: Path) -> Path:
    """The folder of a fetch cell, made."""
    records.write_json(out / records.RECORD, {"results": fetch(job(cell, out))})
    return out


def test_a_folder_is_read_as_it_was_when_its_fetch_cell_was_made(audioset, tmp_path):
    cell = made(fetched(chosen(audioset), "as20k"), tmp_path / "fetch")
    assert root_of(cell, "as20k") == audioset
    settings = AudioSettings(dataset="as20k")
    (tmp_path / "out").mkdir()
    work = Job("audio", "as20k", "k", settings, {"fetch": cell}, tmp_path / "out", tmp_path / "resume")
    assert step.audio(work)["clips"] == 2
    sound(audioset / "b.wav", seed=5)
    with pytest.raises(UserError, match="the data of as20k, has changed since"):
        step.audio(work)


def test_the_place_that_was_indexed_is_not_read_for_another(audioset, tmp_path):
    other = tmp_path / "other"
    sound(other / "a.wav", seed=3)
    with pytest.raises(UserError, match=r"as20k: what lies in .*/audioset is not .* run `audioprune index as20k`"):
        fetch(job(fetched(chosen(other), "as20k"), tmp_path / "fetch"))


def test_a_checkpoint_named_elsewhere_or_changed_is_not_copied(tmp_path):
    for name, value in (("one", 1.0), ("two", 2.0)):
        weights(tmp_path / f"{name}.pth", "ast-b", value)
    one, two = (config(checkpoints={"ast-b": str(tmp_path / f"{name}.pth")}) for name in ("one", "two"))
    index(one, "checkpoint-ast-b")
    cell = fetched(one, "checkpoint-ast-b")
    fetch(job(cell, tmp_path / "fetch"))
    assert (tmp_path / "fetch" / "files" / "one.pth").read_bytes() == (tmp_path / "one.pth").read_bytes()
    with pytest.raises(UserError, match="is not what this job was planned for"):
        fetch(job(fetched(two, "checkpoint-ast-b"), tmp_path / "fetch2"))
    weights(tmp_path / "one.pth", "ast-b", 3.0)
    with pytest.raises(UserError, match="is not what this job was planned for"):
        fetch(job(cell, tmp_path / "fetch3"))
    assert not (tmp_path / "fetch3" / "files").exists()


def test_a_checkpoint_that_changes_while_it_is_copied_is_refused(tmp_path, monkeypatch):
    weights(tmp_path / "one.pth", "ast-b")
    one = config(checkpoints={"ast-b": str(tmp_path / "one.pth")})
    index(one, "checkpoint-ast-b")
    monkeypatch.setattr("shutil.copyfile", lambda source, target: target.write_text("half"))
    with pytest.raises(UserError, match="was changed while it was copied"):
        fetch(job(fetched(one, "checkpoint-ast-b"), tmp_path / "fetch"))


# --- names in lists and options that lead past what is pinned ---------------------------------------------------------


def test_what_a_digest_of_a_folder_covers(tmp_path):
    root, inside = tmp_path / "root", tmp_path / "root" / "sub" / "a.wav"
    sound(inside)
    (tmp_path / "link").symlink_to(root)
    for name in ("a.wav", "sub/a.wav", "./sub/a.wav", "sub/../sub/a.wav", str(inside), f"{tmp_path}/link/sub/a.wav"):
        assert pinned(root, name), name
    for name in (".a.wav", ".h/a.wav", "../x.wav", "/etc/x.wav", f"{root}/.h/a.wav", "sub/../../x.wav"):
        assert not pinned(root, name), name


@pytest.mark.parametrize("wav", ["../out.wav", ".h/x.wav", "{outside}/out.wav"])
def test_a_listed_clip_that_no_digest_covers_is_refused(audioset, tmp_path, wav):
    wav = wav.format(outside=tmp_path)
    sound(tmp_path / "out.wav"), sound(audioset / ".h" / "x.wav")
    (audioset / "as20k_16k.json").write_text(json.dumps({"data": [{"wav": wav, "labels": "/m/001"}]}))
    index(chosen(audioset), "as20k")
    cell = made(fetched(chosen(audioset), "as20k"), tmp_path / "fetch")
    with pytest.raises(UserError, match="no digest covers it"):
        step.clips_of(AudioSettings(dataset="as20k"), {"fetch": cell})


def test_parts_of_a_clip_are_looked_at_too(tmp_path):
    with pytest.raises(UserError, match=r"'../b.wav', the file of the clip 'ab'"):
        step.check_pinned([Clip("ab", "", parts=("a.wav", "../b.wav"))], tmp_path, "fsdd-strings")


@pytest.mark.parametrize("option", ["train_json", "eval_json", "labels_csv"])
@pytest.mark.parametrize("value", ["../x", "/etc/x", ".x"])
def test_lists_that_options_name_lie_in_the_folder(audioset, option, value):
    with pytest.raises(UserError, match=f"dataset_options.as20k.{option} in config.yaml: '{value}' lies outside"):
        as20k.clips(audioset, {option: value})


def test_the_contents_of_a_list_that_an_option_names_are_in_the_key(audioset):
    (audioset / "mine.json").write_text("{}")
    before = fetched(chosen(audioset), "as20k").key
    (audioset / "mine.json").write_text("{ }")
    assert fetched(chosen(audioset), "as20k").key != before
    assert registry.dataset("as20k").source == "as20k"
