from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from audioprune.errors import UserError
from audioprune.facts.dataset import Clip
from audioprune.planning import user_csv, user_rows
from audioprune.settings.data import UserFolder
from audioprune.sources.user import facts


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "mine"
    (root / "sub").mkdir(parents=True)
    for i in range(20):
        (root / "sub" / f"{i}.wav").touch()
    return root


def settings(folder: Path, text: str, **other) -> UserFolder:
    (folder / "labels.csv").write_text(text, encoding=other.pop("encoding", "utf-8"))
    base = {
        "folder": str(folder),
        "csv": "labels.csv",
        "task": "environmental",
        "classes": ("cat", "dog"),
        "frames": 128,
    }
    return UserFolder(**base | other)


def message(user: UserFolder) -> str:
    with pytest.raises(UserError) as caught:
        user_csv.read(user)
    return str(caught.value)


def test_split_column(folder):
    text = "file,label,split,recording,speaker\nsub/0.wav,dog,train,r0,ann\nsub/1.wav, cat ,test,,\n"
    text += "sub/2.wav,cat,train,,\n"
    first, second, _ = user_csv.read(settings(folder, text)).clips
    assert (first.id, first.path, first.labels, first.split) == ("sub/0.wav", "sub/0.wav", (1,), "train")
    assert (first.recording, first.speaker) == ("r0", "ann")
    assert (second.labels, second.split, second.recording, second.speaker) == ((0,), "test", "sub/1.wav", "")


def test_folds(folder):
    text = "file,label,fold\nsub/0.wav,dog,1\nsub/1.wav,cat,2\nsub/2.wav,dog,2\nsub/3.wav,cat,1\n"
    clips = user_csv.read(settings(folder, text, folds=2)).clips
    assert [(clip.fold, clip.split) for clip in clips] == [(1, ""), (2, ""), (2, ""), (1, "")]
    assert "no clip is in fold 3" in message(settings(folder, text, folds=3))
    assert "no column 'fold'" in message(settings(folder, "file,label\nsub/0.wav,dog\n", folds=2))


def test_without_a_split_one_recording_in_five_tests(folder):
    rows = "".join(f"sub/{i}.wav,dog,r{i // 2}\n" for i in range(20))
    clips = user_csv.read(settings(folder, "file,label,recording\n" + rows, classes=("dog",))).clips
    splits = {clip.recording: clip.split for clip in clips}
    assert all(clip.split == splits[clip.recording] for clip in clips)
    assert 1 <= list(splits.values()).count("test") <= 5
    shares = [user_rows.share(f"recording {i}") for i in range(2000)]
    assert sum(share < 0.2 for share in shares) / 2000 == pytest.approx(0.2, abs=0.03)


def test_several_labels(folder):
    text = "file,label,split\nsub/0.wav,dog; cat,train\nsub/1.wav,,test\n"
    clips = user_csv.read(settings(folder, text, task="multilabel")).clips
    assert [clip.labels for clip in clips] == [(0, 1), ()]  # without a label: reported when it is decoded
    assert "row 2: 2 labels, but the task 'environmental' takes one" in message(settings(folder, text))


def test_transcription_and_speakers(folder):
    text = "file,transcript,split\nsub/0.wav,three one four,train\nsub/1.wav,two,test\n"
    clips = user_csv.read(settings(folder, text, task="transcription", classes=())).clips
    assert [clip.transcript for clip in clips] == ["three one four", "two"]
    assert "no column 'transcript'" in message(settings(folder, "file,label\nsub/0.wav,dog\n", task="transcription"))
    text = "file,label,split\nsub/0.wav,ann,train\nsub/1.wav,bob,test\nsub/2.wav,bob,train\n"
    clips = user_csv.read(settings(folder, text, task="speaker", classes=("ann", "bob"))).clips
    assert [clip.speaker for clip in clips] == ["ann", "bob", "bob"]


def test_as_spreadsheets_write_it(folder):
    text = '\ufefffile,label,split,notes\r\n"sub/0.wav","dog",train,"a, b"\r\nsub/1.wav,cat,test,\r\n'
    text += "sub/2.wav,cat,train,\r\n"
    assert [clip.labels for clip in user_csv.read(settings(folder, text)).clips] == [(1,), (0,), (0,)]


def test_all_mistakes_at_once_with_rows_and_nearest_names(folder):
    text = (
        "file,label,split\n"
        "sub/0.wav,dogg,train\n"
        "sub/gone.wav,cat,test\n"
        "sub/1.wav,cat,tests\n"
        "sub/1.wav,cat,test\n"
        "../evil.wav,cat,test\n"
        ",cat,test\n"
    )
    assert message(settings(folder, text)).splitlines() == [
        f"{folder / 'labels.csv'} has 6 errors:",
        "  row 2: label 'dogg' is not one of the classes; did you mean 'dog'?",
        f"  row 3: file 'sub/gone.wav' does not exist in {folder}",
        "  row 4: split 'tests' is not valid; did you mean 'test'?",
        "  row 5: file 'sub/1.wav' is already in row 4",
        "  row 6: file '../evil.wav' lies outside the folder",
        "  row 7: the file is empty",
    ]


def test_many_mistakes_are_counted(folder):
    text = "file,label\n" + "".join(f"sub/0{i}.wav,dog\n" for i in range(60))
    found = message(settings(folder, text))
    assert "has 60 errors" in found
    assert found.endswith("and 10 more")


def test_a_needed_column_that_is_missing_and_too_many_cells(folder):
    assert "no column 'label'; is it 'lable'?" in message(settings(folder, "file,lable\nsub/0.wav,dog\n"))
    assert "row 2: more cells" in message(settings(folder, "file,label\nsub/0.wav,dog,extra\n"))


def test_the_header_of_esc50_is_told_which_columns_to_rename(folder):
    text = "filename,fold,target,category,esc10,src_file,take\nsub/0.wav,1,0,dog,False,1,A\n"
    assert message(settings(folder, text)).splitlines()[1:] == [
        "  no column 'file'; is it 'filename'? then rename it",
        "  no column 'label'; is it 'category'? then rename it",
    ]
    renamed = text.replace("filename", "file").replace("category", "label") + "sub/1.wav,1,1,cat,True,2,B\n"
    table = user_csv.read(
        settings(folder, renamed + "".join(f"sub/{i}.wav,1,0,{'cat' if i % 2 else 'dog'},,,\n" for i in range(2, 20)))
    )
    assert table.columns == ("file", "label")
    assert table.ignored == ("fold (folds is 1)", "target", "esc10", "src_file", "take")


def test_rows_of_empty_cells_and_short_rows(folder):
    text = "file,label,split,speaker\nsub/0.wav,dog,train,ann\n , ,,\n\nsub/1.wav,dog,test\n,,,,,\n"
    clips = user_csv.read(settings(folder, text, classes=("dog",))).clips
    assert [(clip.path, clip.speaker) for clip in clips] == [("sub/0.wav", "ann"), ("sub/1.wav", "")]


def test_the_digest_covers_all_that_a_clip_has(folder):
    text = "file,label,split,recording,speaker,transcript\nsub/0.wav,dog,train,r0,ann,two\nsub/1.wav,dog,test,,,\n"
    clip = user_csv.read(settings(folder, text, classes=("dog",))).clips[0]
    assert clip.path == clip.id
    others = [field for field in fields(Clip) if field.name not in (*user_csv.KEYED, "path")]
    assert {field.name: getattr(clip, field.name) for field in others} == {
        field.name: field.default_factory() if callable(field.default_factory) else field.default for field in others
    }


def test_both_parts_are_needed(folder):
    assert "no clip has the split 'test'" in message(settings(folder, "file,label,split\nsub/0.wav,dog,train\n"))


def test_sentences_may_all_be_for_testing_since_a_recogniser_may_be_off_the_shelf(folder):
    text = "file,transcript,split\nsub/0.wav,good morning,test\nsub/1.wav,good night,test\n"
    own = {"task": "transcription", "classes": ()}
    assert [clip.split for clip in user_csv.read(settings(folder, text, **own)).clips] == ["test", "test"]
    words = "no clip has the split 'test'"
    assert words in message(settings(folder, text.replace("test", "train"), **own))


@pytest.mark.parametrize("fold", ["0", "3", "", "one", "1.5"])
def test_wrong_folds(folder, fold):
    text = f"file,label,fold\nsub/0.wav,dog,{fold}\nsub/1.wav,dog,1\nsub/2.wav,dog,2\n"
    assert f"row 2: fold '{fold}' is not a number from 1 to 2" in message(settings(folder, text, folds=2))


def test_missing_things(folder, tmp_path):
    user = settings(folder, "file,label\nsub/0.wav,dog\n")
    assert "does not exist" in message(user.model_copy(update={"folder": str(tmp_path / "gone")}))
    assert "is not in" in message(user.model_copy(update={"csv": "other.csv"}))
    assert "has no rows" in message(settings(folder, "file,label\n"))
    assert "has no rows" in message(settings(folder, ""))
    assert "UTF-8" in message(settings(folder, "file,label\nsub/é.wav,dog\n", encoding="latin-1"))


def test_the_csv_lies_in_the_folder(folder, tmp_path, monkeypatch):
    user = settings(folder, "file,label\nsub/0.wav,dog\n")
    assert user_csv.csv_path(user) == folder / "labels.csv"
    monkeypatch.chdir(tmp_path)
    assert user_csv.csv_path(user.model_copy(update={"csv": "mine/labels.csv", "folder": "mine"})).samefile(
        folder / "labels.csv"
    )
    (tmp_path / "out.csv").write_text("file,label\n")
    assert "must lie in the folder" in message(user.model_copy(update={"csv": "out.csv"}))


@pytest.mark.parametrize(
    ("task", "loss", "metric"),
    [
        ("keyword", "ce", "top1"),
        ("environmental", "ce", "top1"),
        ("speaker", "ce", "top1"),
        ("multilabel", "bce", "map"),
        ("transcription", "ce", "wer"),
    ],
)
def test_loss_and_metric_follow_from_the_task(task, loss, metric):
    found = facts("mine", UserFolder(folder="x", csv="x.csv", task=task, classes=("a", "b"), frames=64, folds=3))
    assert (found.loss, found.metric) == (loss, metric)
    assert (found.name, found.task, found.classes, found.frames, found.folds) == ("mine", task, ("a", "b"), 64, 3)
