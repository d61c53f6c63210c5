"""The data tables: what was done to the audio, clips by class and split, and warnings where that changes numbers."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from audioprune.facts.dataset import Dataset
from audioprune.results.study import Results
from audioprune.settings.data import AudioSettings, FeaturesSettings, GenerateSettings
from audioprune.tables import data, data_classes
from tests.fakes.studies import DATASETS, Study, collected, shared, store_of

AB = Dataset("mine", "environmental", ("a", "b"), 128)
TREATED = dict.fromkeys(("resampled", "low_rate", "mixed_down", "scaled", "clipped", "no_frame"), 0)
MEASURED = {
    "frames": 128, "padded_share": 0.1, "padded_clips": 3, "cut_share": 0.0, "cut_clips": 0, "measured_mean": -5.0,
    "measured_std": 4.0,
}  # fmt: skip


def results(tmp_path, clips: pd.DataFrame, facts: Dataset = AB, *, aside=None, measured=None, **treated) -> Results:
    """A study of one dataset, of this table of clips."""
    study = Study(tmp_path)
    stored = {"clips": len(clips), "hours": 0.1, "set_aside": aside or {}, "treated": TREATED | treated}
    stored |= {"splits": clips["split"].value_counts().to_dict(), "folds": {}}
    audio = study.cell(
        "audio", facts.name, AudioSettings(dataset=facts.name), results=stored,
        files=[lambda out: clips.to_parquet(out / "clips.parquet")],
    )  # fmt: skip
    settings = FeaturesSettings(dataset=facts.name, frames=128)
    study.cell("features", facts.name, settings, results=MEASURED | (measured or {}), audio=audio)
    return Results("mini", study.cells, {facts.name: facts}.get)


def warnings(*arguments, **options) -> list[str]:
    notes = data.build(results(*arguments, **options)).notes
    return [note.removeprefix("Warning, mine: ") for note in notes if note.startswith("Warning, mine: ")]


def row(*arguments, **options) -> dict[str, str]:
    (found,) = csv.DictReader(io.StringIO(data.build(results(*arguments, **options)).csv()))
    return found


def test_plain_data_gives_no_warning_and_no_column(tmp_path):
    made = results(tmp_path, store_of(AB, 30))
    table = data.build(made)
    assert not [note for note in table.notes if note.startswith("Warning")]
    shown = {column.key for column in table.layout().columns}
    assert {"clips", "hours", "padded"} <= shown
    assert not shown & {"cut", "resampled", "mixed_down", "scaled", "clipped"}


def test_a_corpus_of_made_audio_is_a_row_without_treatment(tmp_path):
    """With what the step `generate` says of it, which decodes nothing and sets nothing aside."""
    study, clips = Study(tmp_path), store_of(AB, 30)
    stored = {"clips": len(clips), "hours": 0.1, "clipped_samples": 0, "labels": {"0": 15, "1": 15}}
    made = study.cell(
        "generate", "corpus", GenerateSettings(generator="corpus", clips=30), results=stored,
        files=[lambda out: clips.to_parquet(out / "clips.parquet")],
    )  # fmt: skip
    study.cell("features", "mine", FeaturesSettings(dataset="mine", frames=128), results=MEASURED, audio=made)
    table = data.build(Results("mini", study.cells, {"mine": AB}.get))
    (found,) = csv.DictReader(io.StringIO(table.csv()))
    assert (found["clips"], found["resampled_clips"], found["clipped_clips"]) == ("30", "0", "0")


def test_shares_and_numbers_of_what_was_done(tmp_path):
    found = row(
        tmp_path, store_of(AB, 40), resampled=10, mixed_down=4, scaled=2, clipped=1,
        measured={"cut_share": 0.25, "cut_clips": 7}, aside={"silent": 1},
    )  # fmt: skip
    assert [float(found[key]) for key in ("resampled", "mixed_down", "scaled", "clipped")] == [0.25, 0.1, 0.05, 0.025]
    assert [found[f"{key}_clips"] for key in ("resampled", "mixed_down", "scaled", "clipped")] == ["10", "4", "2", "1"]
    assert (float(found["cut"]), found["cut_clips"], found["padded_clips"], found["set_aside"]) == (0.25, "7", "3", "1")


def test_audio_that_is_mostly_cut_off_or_padding(tmp_path):
    clips = store_of(AB, 30)
    (told,) = warnings(tmp_path / "a", clips, measured={"cut_share": 0.83})
    assert told.startswith("83% of the audio lies beyond the 128 frames of the input and is cut off")
    (told,) = warnings(tmp_path / "b", clips, measured={"padded_share": 0.6})
    assert told.startswith("60% of the input is padding")
    assert not warnings(tmp_path / "c", clips, measured={"padded_share": 0.5, "cut_share": 0.5})


def test_clips_shorter_than_a_frame(tmp_path):
    length = np.full(30, 16000)
    length[[4, 9]] = 399, 2
    assert warnings(tmp_path, store_of(AB, 30, length=length)) == [
        "shorter than one frame of 25 ms, so that their input is almost all padding: clip4, clip9."
    ]


def test_recordings_in_several_splits_or_folds_by_name(tmp_path):
    (told,) = warnings(tmp_path / "a", store_of(AB, 30, recording=[f"rec{i // 10}" for i in range(30)]))
    assert told.startswith("clips of one recording are in several splits or folds")
    assert told.endswith(": rec0, rec1, rec2.")
    folded = Dataset("mine", "environmental", ("a", "b"), 128, folds=2)
    (told,) = warnings(tmp_path / "b", store_of(folded, 8, recording=list("aabcdefg")), folded)
    assert told.endswith(": a.")
    mixed = Dataset("mine", "environmental", ("a", "b"), 128, mixed_by="+")
    clips = store_of(
        mixed, 6, recording=["a+b", "c", "c+d", "e", "f", "b+g"]
    )  # the third and the sixth are for testing
    (told,) = warnings(tmp_path / "c", clips, mixed)
    assert told.endswith(": b, c.")


def test_mixed_sampling_rates(tmp_path):
    rate = np.full(40, 44100)
    rate[:10] = 8000
    (told,) = warnings(tmp_path / "a", store_of(AB, 40, rate=rate))
    assert told.startswith("25% of the clips were sampled below 16 kHz, at 8000 Hz or more")
    assert not warnings(tmp_path / "b", store_of(AB, 40, rate=np.full(40, 8000)))
    assert not warnings(tmp_path / "c", store_of(AB, 40, rate=np.where(np.arange(40) % 2, 16000, 48000)))


def test_floats_beyond_full_scale_clipping_and_clips_set_aside(tmp_path):
    divisor = np.ones(40)
    divisor[7] = 32768
    (told,) = warnings(tmp_path / "a", store_of(AB, 40, divisor=divisor), scaled=1)
    assert told.endswith("above full scale: clip7.")
    (told,) = warnings(tmp_path / "b", store_of(AB, 40), clipped=2)
    assert told == "5% of the clips have samples beyond full scale, cut to it."
    (told,) = warnings(tmp_path / "c", store_of(AB, 30), aside={"silent": 6, "missing": 4})
    assert told == "25% of the clips are set aside: all results are of the others."


def test_classes_without_a_test_clip(tmp_path):
    three = Dataset("mine", "environmental", ("a", "b", "c"), 128)  # of which every third clip, the c, is for testing
    assert warnings(tmp_path, store_of(three, 30), three) == ["no test clip, and so no result, for a, b."]


def test_warnings_are_in_the_report():
    (exhibit,) = collected(shared(), [("table", "data")]).exhibits
    assert any("no test clip, and so no result, for" in note for note in exhibit.table.notes)


# --- by class --------------------------------------------------------------------------------------------------------


def test_clips_and_seconds_by_class_and_split(tmp_path):
    clips = pd.DataFrame(
        {
            "clip": list("stuvw"), "length": [16000, 8000, 4000, 32000, 1600], "labels": [[0], [0, 1], [1], [1], [0]],
            "fold": 0, "split": ["train", "train", "test", "train", "val"], "recording": list("stuvw"),
        }
    )  # fmt: skip
    first, second = data_classes.build(results(tmp_path, clips)).rows
    assert first.group == "mine"
    assert first.cells == {
        "class": "a", "clips": 3, "seconds": 1.6, "train_clips": 2, "train_seconds": 1.5, "val_clips": 1,
        "val_seconds": 0.1, "test_clips": 0, "test_seconds": 0.0,
    }  # fmt: skip
    assert second.cells == {
        "class": "b", "clips": 3, "seconds": 2.75, "train_clips": 2, "train_seconds": 2.5, "test_clips": 1,
        "test_seconds": 0.25,
    }  # fmt: skip


def test_folds_have_the_fewest_and_the_most_clips_of_a_class(tmp_path):
    folded = Dataset("mine", "environmental", ("a", "b"), 128, folds=3)
    labels, fold = [[0], [0], [0], [1], [1], [1]], [1, 1, 2, 1, 2, 3]
    first, second = data_classes.build(results(tmp_path, store_of(folded, 6, labels=labels, fold=fold), folded)).rows
    assert (first.cells["fewest"], first.cells["most"], first.cells["clips"]) == (0, 2, 3)
    assert (second.cells["fewest"], second.cells["most"]) == (1, 1)


@pytest.mark.parametrize("classes", [61, 0])
def test_many_classes_and_none_are_not_shown(tmp_path, classes):
    facts = Dataset("mine", "keyword" if classes else "transcription", tuple(map(str, range(classes))), 128)
    table = data_classes.build(results(tmp_path, store_of(facts, 10), facts))
    assert table.rows == ()
    assert table.notes == (("mine: 61 classes are too many to show.",) if classes else ())


def test_every_class_of_the_shared_study_is_there():
    (exhibit,) = collected(shared(), [("table", "data-classes")]).exhibits
    groups = [r.group for r in exhibit.table.rows]
    assert groups == [name for name in dict.fromkeys(groups) for _ in DATASETS[name].classes]
