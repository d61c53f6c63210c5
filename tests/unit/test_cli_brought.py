"""`audioprune index`, `doctor` and `plan` on data that the user brings: what is read, what waits, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from _mine import LABELS, ROOT, SWAPPED, make, sound

from audioprune.cli.main import main


@pytest.fixture
def folder(tmp_path, elsewhere) -> Path:
    made = make(tmp_path / "base", labels=LABELS, second=SWAPPED)
    configure(made)
    return made


def configure(folder: Path, csv: str = "labels.csv", **more) -> None:
    """config.yaml with the dataset and the study `mine`."""
    data = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    user = {"folder": str(folder), "csv": csv, "task": "environmental", "classes": ["a", "b"], "frames": 128}
    grid = {"backbones": ["audiomae-tiny"], "datasets": ["mine"], "keep_rates": [0.5], "initial": "scratch"}
    data["studies"]["mine"] = data["studies"]["demo"] | {"grids": [grid], "costs": [], "contrasts": None}
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
    assert not finding(capsys, "mine", "mine")["ok"]
    said(capsys, "index", "mine")
    assert finding(capsys, "mine", "mine") | {"text": ""} == {
        "what": "mine", "ok": True, "text": "", "mend": "", "needed": True,
    }  # fmt: skip
    other = make(tmp_path / "other", seed=40)
    for changed, why in (
        ((other,), f"config.yaml names {other}, but {folder} was indexed"),
        ((tmp_path / "gone",), f"config.yaml names {tmp_path}/gone (which does not exist), but {folder} was indexed"),
        ((folder, "second.csv"), f"config.yaml names {folder}/second.csv, but {folder}/labels.csv was indexed"),
        ((folder, "no.csv"), f"the CSV 'no.csv' is not in {folder}: correct `csv` in config.yaml"),
    ):
        configure(*changed)
        told = finding(capsys, "mine", "mine")
        assert not told["ok"]
        assert why in told["text"]
        assert "audioprune index mine" in told["text"]
        assert said(capsys, "doctor", "mine")[0] == 1
        assert f"waits for you: {told['text']}\n" in said(capsys, "plan", "mine")[1]
    configure(folder)
    folder.rename(tmp_path / "unmounted")
    assert "is not here" in finding(capsys, "mine", "mine")["text"]
    assert "waits for you" not in said(capsys, "plan", "mine")[1]


def test_doctor_compares_a_checkpoint_with_what_was_indexed(folder, tmp_path, capsys):
    name = "checkpoint-audiomae-b"
    for file in ("one", "two"):
        (tmp_path / f"{file}.pth").write_text(file)
    configure(folder, checkpoints={"audiomae-b": str(tmp_path / "one.pth")})
    assert said(capsys, "index", name)[0] == 0
    assert finding(capsys, "paper", name)["ok"]
    configure(folder, checkpoints={"audiomae-b": str(tmp_path / "two.pth")})
    told = finding(capsys, "paper", name)
    assert not told["ok"]
    why = f"config.yaml names {tmp_path}/two.pth, but {tmp_path}/one.pth was indexed"
    assert told["text"] == f"not indexed: {why}: audioprune index {name}"
    assert "then set checkpoints.audiomae-b in config.yaml" in told["mend"]


def test_index_knows_what_the_user_brings_and_nothing_else(folder, tmp_path, capsys):
    sound(tmp_path / "vox" / "a.wav")
    configure(folder, data={"voxceleb1": str(tmp_path / "vox")})
    assert said(capsys, "index", "voxceleb1")[1].startswith("voxceleb1: 1 files")
    assert "did you mean 'checkpoint-audiomae-b'" in said(capsys, "index", "audiomae-b")[1]
    assert "'spc2' is no data that you bring yourself" in said(capsys, "index", "spc2")[1]
    assert "set data.as20k" in said(capsys, "index", "as20k")[1]


def test_places_that_nothing_reads_are_refused_by_every_command_that_plans(folder, capsys):
    configure(folder, data={"spc2": "/somewhere"})
    for command in ("plan", "doctor", "status"):
        code, text = said(capsys, command, "demo")
        assert code == 1
        assert "data.spc2: this dataset is fetched, or taken from `mirror`, not brought; take this line out" in text
