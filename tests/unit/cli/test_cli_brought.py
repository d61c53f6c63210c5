"""`audioprune index`, `doctor` and `plan` on data that the user brings: what is read, what waits, and why."""

from __future__ import annotations

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from audioprune.cli.main import main
from tests import REPOSITORY
from tests.fakes.mine import LABELS, SWAPPED, make, sound
from tests.weights import weights


@pytest.fixture
def folder(tmp_path, elsewhere) -> Path:
    made = make(tmp_path / "base", labels=LABELS, second=SWAPPED)
    configure(made)
    return made


def configure(folder: Path, csv: str = "labels.csv", **more) -> None:
    """config.yaml with the dataset and the study `mine`."""
    data = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    user = {"folder": str(folder), "csv": csv, "task": "environmental", "classes": ["a", "b"], "frames": 128}
    grid = {"backbones": ["audiomae-tiny"], "datasets": ["mine"], "keep_rates": [1.0, 0.5], "initial": "scratch"}
    data["studies"]["mine"] = data["studies"]["demo"] | {
        "grids": [grid],
        "costs": [],
        "contrasts": None,
        "robustness": [],
        "durations": [],
        "pace": [],
    }
    Path("config.yaml").write_text(yaml.safe_dump(data | {"datasets": {"mine": user}} | more, sort_keys=False))


def said(capsys, *command: str) -> tuple[int, str]:
    code = main(list(command))
    out = capsys.readouterr()
    return code, out.out + out.err


def finding(capsys, study: str, what: str) -> dict:
    found = json.loads(said(capsys, "doctor", study, "--json")[1])["findings"]
    return next(entry for entry in found if entry["what"] == what)


def test_index_tells_which_columns_it_reads_and_ignores(folder, capsys):
    rows = LABELS.replace("file,label,split", "File,label,split,age,recordingid").replace("\n", ",,\n")
    (folder / "labels.csv").write_text(rows.replace("recordingid,,", "recordingid"))
    code, text = said(capsys, "index", "mine")
    assert code == 0
    ignored = "age, recordingid (rename it if 'recording' is meant)"
    assert text.splitlines()[0] == f"{folder}/labels.csv: reads the columns file, label, split; ignores {ignored}"
    assert text.splitlines()[1].startswith("mine: 8 files, 0.0 MiB, digest ")
    entry = json.loads(said(capsys, "index", "mine", "--json")[1])
    assert entry["columns"] == ["file", "label", "split"]
    assert entry["ignored"] == ["age", "recordingid (rename it if 'recording' is meant)"]


def test_index_refuses_a_csv_with_mistakes_and_writes_nothing(folder, capsys):
    (folder / "labels.csv").write_text(LABELS.replace("c00.wav,a", "c00.wav,A").replace("c03", "gone"))
    code, text = said(capsys, "index", "mine")
    assert code == 1
    assert "row 2: label 'A' is not one of the classes" in text
    assert "row 5: file 'gone.wav' does not exist" in text
    assert not Path("data").exists()


def test_doctor_and_plan_say_what_planning_says(folder, tmp_path, capsys):
    assert finding(capsys, "mine", "mine")["level"] == "error"
    said(capsys, "index", "mine")
    assert finding(capsys, "mine", "mine") | {"text": ""} == {"what": "mine", "level": "ok", "text": "", "mend": ""}
    other = make(tmp_path / "other", seed=40)
    for changed, why in (
        ((other,), f"config.yaml names {other}, but {folder} was indexed"),
        ((tmp_path / "gone",), f"config.yaml names {tmp_path}/gone (which does not exist), but {folder} was indexed"),
        ((folder, "second.csv"), f"config.yaml names {folder}/second.csv, but {folder}/labels.csv was indexed"),
        ((folder, "no.csv"), f"the CSV 'no.csv' is not in {folder}: correct `csv` in config.yaml"),
    ):
        configure(*changed)
        told = finding(capsys, "mine", "mine")
        assert told["level"] == "error"
        assert why in told["text"]
        assert "audioprune index mine" in told["text"]
        assert said(capsys, "doctor", "mine")[0] == 1
        assert f"waits for you: {told['text']}\n" in said(capsys, "plan", "mine")[1]
    configure(folder)
    folder.rename(tmp_path / "unmounted")
    assert "does not exist any more" in finding(capsys, "mine", "mine")["text"]
    assert "waits for you" not in said(capsys, "plan", "mine")[1]


def test_doctor_compares_a_checkpoint_with_what_was_indexed(folder, tmp_path, capsys):
    name = "checkpoint-audiomae-b"
    for file in ("one", "two"):
        weights(tmp_path / f"{file}.pth", value=ord(file[0]))
    configure(folder, checkpoints={"audiomae-b": str(tmp_path / "one.pth")})
    assert said(capsys, "index", name)[0] == 0
    assert finding(capsys, "paper", name)["level"] == "ok"
    configure(folder, checkpoints={"audiomae-b": str(tmp_path / "two.pth")})
    told = finding(capsys, "paper", name)
    assert told["level"] == "error"
    why = f"config.yaml names {tmp_path}/two.pth, but {tmp_path}/one.pth was indexed"
    assert told["text"] == f"not indexed: {why}: audioprune index {name}"
    assert told["mend"] == ""  # it was brought before
    other = finding(capsys, "paper", "checkpoint-ast-b")
    assert other["text"] == "its data is not indexed yet"
    assert "as checkpoints.ast-b, then run `audioprune index checkpoint-ast-b`" in " ".join(other["mend"].split())


RANDOM = bytes(range(7, 207)) * 30


def test_a_checkpoint_that_is_none_is_said_before_any_job(folder, tmp_path, capsys):
    name = "checkpoint-audiomae-b"
    path = weights(tmp_path / "one.pth")
    configure(folder, checkpoints={"audiomae-b": str(path)})
    assert said(capsys, "index", name)[0] == 0
    whole = path.read_bytes()
    wrong = {
        "random bytes": (lambda: path.write_bytes(RANDOM), "one.pth is no checkpoint, or is truncated or damaged"),
        "cut off": (lambda: path.write_bytes(whole[:-2000]), "one.pth is no checkpoint, or is truncated or damaged"),
        "of the other family": (
            lambda: weights(path, "ast-b"),
            "is an AST checkpoint, which cannot initialise audiomae-b",
        ),
        "of another stride": (lambda: weights(path, stride=10), "of stride 10, and studies train models of stride 16"),
        "of another width": (
            lambda: weights(path, pos_embed=(1, 513, 1024)),
            "of 12 blocks, 1024 wide, and audiomae-b has 12 blocks, 768 wide",
        ),
    }  # fmt: skip
    for write, message in wrong.values():
        write()
        code, text = said(capsys, "index", name)
        assert (code, message in text) == (1, True), text
        told = finding(capsys, "paper", name)
        assert told["level"] == "error"
        assert message in told["text"]
        assert any(message in line for line in said(capsys, "plan", "results/table6.tex")[1].splitlines())
    path.write_bytes(whole)
    assert finding(capsys, "paper", name)["level"] == "ok"


def test_doctor_says_every_mistake_of_a_table_at_once_and_each_thing_once(folder, capsys):
    (folder / "labels.csv").write_text(LABELS.replace("c00.wav,a", "c00.wav,A").replace("c03", "gone"))
    code, text = said(capsys, "doctor", "mine")
    assert code == 1
    for mistake in ("row 2: label 'A' is not one of the classes", "row 5: file 'gone.wav' does not exist"):
        assert text.count(mistake) == 1
    lines = [line.strip() for line in said(capsys, "doctor", "paper")[1].splitlines() if line.strip()]
    assert len(lines) == len(set(lines))
    for name in ("voxceleb1", "as20k", "checkpoint-ast-b", "checkpoint-audiomae-b"):
        assert " ".join(lines).count(f"audioprune index {name}") == 1


def spoil(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("no audio")


def test_a_sample_of_the_audio_is_decoded_and_all_of_it_on_demand(tmp_path, elsewhere, capsys):
    names = tuple(f"c{i:03}.wav" for i in range(64))
    rows = "".join(f"{name},{'ab'[i % 2]},{'train' if i < 48 else 'test'}\n" for i, name in enumerate(names))
    configure(make(tmp_path / "many", names, labels="file,label,split\n" + rows))
    assert said(capsys, "index", "mine")[1].splitlines()[-1].startswith("ok       mine, audio: 16 of 64 files decoded")
    spoil(tmp_path / "many", names[1])  # not in the sample, which is every fourth
    for command in (("index", "mine"), ("doctor", "mine")):
        assert "16 of 64 files decoded (--all decodes every one)\n" in said(capsys, *command)[1]
        code, text = said(capsys, *command, "--all")
        assert code == 1
        assert "MISSING  mine, audio: 64 of 64 files decoded; not to be used: 1 unreadable\n" in text
        assert "c001.wav: unreadable: " in text
    spoil(tmp_path / "many", *names[4:40:4])
    code, text = said(capsys, "index", "mine")
    assert code == 1
    assert "16 of 64 files decoded (--all decodes every one); not to be used: 9 unreadable" in text
    assert "and 4 more" in text
    configure(tmp_path / "many", bad_clips="set_aside")
    code, text = said(capsys, "index", "mine")
    assert code == 3
    assert "WARNING  mine, audio: " in text
    assert "they are set aside" in text


def test_mistakes_of_a_table_and_of_its_audio_are_told_together(folder, capsys):
    (folder / "labels.csv").write_text(LABELS.replace("c00.wav,a", "c00.wav,A").replace("c03", "../base/gone"))
    spoil(folder, "c00.wav", "c05.wav")
    for command in (("index", "mine"), ("doctor", "mine")):
        code, text = said(capsys, *command)
        assert code == 1
        for told in (
            "row 2: label 'A' is not one",
            "row 5: file '../base/gone.wav' lies outside",
            "c05.wav: unreadable",
        ):
            assert text.count(told) == 1
        assert "mine, audio: 7 of 7 files decoded (--all decodes every one); not to be used: 2 unreadable" in text


def test_clips_that_are_hardly_what_they_should_be_are_questioned_by_name(folder, capsys):
    noise = np.random.default_rng(0).standard_normal(800)
    soundfile.write(folder / "c01.wav", 0.1 * noise[:160], 16000)  # 10 ms
    soundfile.write(folder / "c02.wav", 1000 * noise, 16000, subtype="FLOAT")
    for command in (("index", "mine"), ("doctor", "mine")):
        code, text = said(capsys, *command)
        assert code == 3
        assert "WARNING  mine, audio: shorter than one frame of 25 ms: c01.wav\n" in text
        assert "WARNING  mine, audio: floats beyond full scale, divided: c02.wav\n" in text
        assert "ok       mine, audio: 8 of 8 files decoded" in text


def test_doctor_looks_at_the_disk_and_the_umask_of_the_results(folder, tmp_path, capsys, monkeypatch):
    def look(what: str) -> tuple[str, str]:
        told = finding(capsys, "demo", what)
        return told["level"], told["text"]

    before = os.umask(0o022)
    try:
        assert look("umask") == ("ok", "022, so files are made with the mode 644")
        Path("results").mkdir(mode=0o775)
        Path("results").chmod(0o775)
        os.umask(0o077)
        assert look("umask")[0] == "warning"
        assert "the group shares results, and could not use them" in look("umask")[1]
        assert said(capsys, "doctor", "demo")[0] == 3
        Path("results").chmod(0o700)
        assert look("umask") == ("ok", "077, so files are made with the mode 600")
        os.umask(0o277)
        assert look("umask")[0] == "error"
    finally:
        os.umask(before)
    Usage = namedtuple("Usage", "total used free")
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or Usage(9, 8, 1))
    assert look("disk")[0] == "error"
    assert asked == [Path("results")]
    Path("results").rmdir()
    Path("results").symlink_to(tmp_path / "unmounted")
    assert look("results") == ("error", f"a link to {tmp_path}/unmounted, which is not there: mount that disk")


def test_slurms_commands_are_needed_for_its_profile_alone(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("sbatch", "squeue"):
        (tmp_path / name).touch(0o755)
    assert finding(capsys, "demo", "SLURM")["level"] == "absent"
    assert said(capsys, "doctor", "demo")[0] == 0
    code, text = said(capsys, "doctor", "demo", "--profile", "slurm")
    assert code == 1
    assert "MISSING  SLURM: no scancel on this machine\n" in text
    (tmp_path / "scancel").touch(0o755)
    assert said(capsys, "doctor", "demo", "--profile", "slurm")[0] == 0


def test_index_knows_what_the_user_brings_and_nothing_else(folder, tmp_path, capsys):
    sound(tmp_path / "vox" / "a.wav")
    configure(folder, data={"voxceleb1": str(tmp_path / "vox")})
    assert said(capsys, "index", "voxceleb1")[1].startswith("voxceleb1: 1 files")
    assert "did you mean 'checkpoint-audiomae-b'" in said(capsys, "index", "audiomae-b")[1]
    assert "'spc2' is not data that you provide yourself" in said(capsys, "index", "spc2")[1]
    assert "set data.as20k" in said(capsys, "index", "as20k")[1]


def test_places_that_nothing_reads_are_refused_by_every_command_that_plans(folder, capsys):
    configure(folder, data={"spc2": "/somewhere"})
    for command in ("plan", "doctor", "status"):
        code, text = said(capsys, command, "demo")
        assert code == 1
        assert (
            "data.spc2: this dataset is downloaded, or taken from `mirror`, not provided by you; remove this line"
            in text
        )
