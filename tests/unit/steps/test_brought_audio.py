"""A user's folder from its table of labels to the data tables, made by the steps themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audioprune import records
from audioprune.cells.cell import Cell
from audioprune.errors import UserError
from audioprune.exhibits.table import Table
from audioprune.results.study import Results
from audioprune.settings.data import FeaturesSettings
from audioprune.sources.user import facts
from audioprune.steps._run import Job
from audioprune.steps.audio import audio
from audioprune.steps.features import features
from audioprune.tables import data, data_classes
from tests.fakes.mine import config, index, planned
from tests.fakes.studies import FakeCell

pytestmark = pytest.mark.usefixtures("elsewhere")


def noise(samples: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.3, 0.3, samples)


def write(folder: Path, waves: list[np.ndarray], rows: str = "", **how) -> Path:
    """Clips c00, c01, ... of classes a and b in turn, the last quarter for testing, or as the rows say."""
    folder.mkdir()
    for i, wave in enumerate(waves):
        soundfile.write(folder / f"c{i:02}.wav", wave, 16000, **how)
    split = ["train" if i < 3 * len(waves) // 4 else "test" for i in range(len(waves))]
    plain = "".join(f"c{i:02}.wav,{'ab'[i % 2]},{part}\n" for i, part in enumerate(split))
    (folder / "labels.csv").write_text(rows or "file,label,split\n" + plain)
    return folder


def tables(folder: Path, out: Path, **user) -> tuple[Table, Table]:
    """The tables data and data-classes of a study of this folder alone."""
    chosen = config(folder, **user)
    index(chosen)
    cell = planned(chosen)
    stored = made(audio, cell, out / "audio", {})
    settings = FeaturesSettings(dataset="mine", frames=128)
    measured = made(features, cell, out / "features", {"audio": stored.dir}, settings)
    measured.inputs["audio"] = stored
    study = Results("mine", [stored, measured], lambda name: facts(name, chosen.datasets[name]))
    return data.build(study), data_classes.build(study)


def made(step, cell: Cell, out: Path, inputs: dict[str, Path], settings=None) -> FakeCell:
    """A cell as its step leaves it."""
    settings = settings or cell.settings
    out.mkdir(parents=True)
    results = step(Job(step.__name__, cell.address, cell.key, settings, inputs, out, out / "resume"))
    records.write_json(out / records.RECORD, {"key": cell.key, "results": results})
    return FakeCell(step.__name__, cell.address, settings, out, cell.key)


def test_clips_of_20_ms_to_20_s_at_an_input_of_1_28_s(tmp_path):
    """By hand: 3 739 frames (10 ms each, of whole windows of 25 ms), 170 + 670 + 1 870 of them behind the first 128."""
    seconds = (0.01, 0.1, 0.5, 3, 8, 20, *[1] * 6)
    folder = write(tmp_path / "lengths", [noise(int(s * 16000), i) for i, s in enumerate(seconds)])
    table, _ = tables(folder, tmp_path / "out")
    (row,) = table.rows
    assert row.cells["cut"] == pytest.approx(2710 / 3739)
    assert (row.cells["cut_clips"], row.cells["padded_clips"]) == (3, 9)
    warnings = [note for note in table.notes if note.startswith("Warning, mine: ")]
    assert [note.removeprefix("Warning, mine: ").partition(",")[0] for note in warnings] == [
        "72% of the audio lies beyond the 128 frames of the input and is cut off; a clip's label may not "
        "apply to what is left.",
        "shorter than one frame of 25 ms",
    ]
    assert warnings[1].endswith(": c00.wav.")


def test_floats_on_the_scale_of_16_bits_sound_as_they_did(tmp_path):
    whole = [noise(16000, i) for i in range(8)]
    plain, _ = tables(write(tmp_path / "plain", whole), tmp_path / "one")
    steps, _ = tables(write(tmp_path / "steps", [32768 * wave for wave in whole], subtype="FLOAT"), tmp_path / "two")
    (row,), (expected,) = steps.rows, plain.rows
    assert (row.cells["scaled"], row.cells["scaled_clips"]) == (1, 8)
    assert (expected.cells["scaled"], expected.cells["scaled_clips"]) == (None, 0)
    assert row.cells["mean"].value == pytest.approx(expected.cells["mean"].value, abs=1e-3)
    (told,) = [note for note in steps.notes if "Warning" in note]
    assert "8 clips had floating-point samples beyond full scale" in told


def test_clips_of_one_recording_on_both_sides_are_named(tmp_path):
    rows = "file,label,split,recording\n"
    rows += "".join(f"c{i:02}.wav,{'ab'[i % 2]},{'train' if i < 10 else 'test'},rec{i % 3}\n" for i in range(16))
    table, classes = tables(write(tmp_path / "same", [noise(4000, i) for i in range(16)], rows), tmp_path / "out")
    (told,) = [note for note in table.notes if "recording" in note]
    assert told.endswith("dependent clips as independent: rec0, rec1, rec2.")
    assert [(row.cells["train_clips"], row.cells["test_clips"]) for row in classes.rows] == [(5, 3), (5, 3)]


def test_hidden_clips_that_are_listed_are_pinned(tmp_path):
    rows = "file,label,split\n.y.wav,a,train\n.h/x.wav,b,train\nc00.wav,a,test\nc01.wav,b,test\n"
    folder = write(tmp_path / "hidden", [noise(4000, i) for i in range(2)], rows)
    (folder / ".h").mkdir()
    soundfile.write(folder / ".y.wav", noise(4000, 7), 16000)
    soundfile.write(folder / ".h" / "x.wav", noise(4000, 8), 16000)
    index(config(folder))
    before = planned(config(folder)).key
    soundfile.write(folder / ".h" / "x.wav", noise(4000, 9), 16000)
    assert planned(config(folder)).key != before


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("file,lable\nc00.wav,a\n", "no column 'label'; is it 'lable'"),
        ("file,label,split\nc00.wav,a,train\nc01.wav,c,test\n", "label 'c' is not one of the classes"),
        ("file,label,split\nc00.wav,a,train\nc01.wav,b,train\ngone.wav,b,test\n", "file 'gone.wav' does not exist"),
        ("file,label,split\nc00.wav,a,train\nc01.wav,b,test\n", "label 'b' has no training clip"),
        ("file,label,split\nc00.wav,a,train\nc01.wav,a,test\n", "no clip has the label 'b'"),
    ],
)
def test_mistakes_are_said_by_index_and_when_planning_before_any_job(tmp_path, rows, said):
    folder = write(tmp_path / "mine", [noise(4000, i) for i in range(4)])
    with pytest.raises(UserError, match=said):
        index(config(write(tmp_path / "other", [noise(4000, i) for i in range(2)], rows)))
    index(config(folder))
    (folder / "labels.csv").write_text(rows)
    note = planned(config(folder)).note
    assert "audioprune index mine" in note
    assert said.split("'")[1] in note
