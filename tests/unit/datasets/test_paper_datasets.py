"""Facts of every dataset, and listings of the paper's datasets from trees in their shape."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audioprune import registry
from audioprune.datasets import as2m, as20k, esc50, librispeech, spc2, voxceleb1
from audioprune.errors import UserError
from audioprune.sources import catalogue

METRIC = {"keyword": "top1", "environmental": "top1", "speaker": "top1", "multilabel": "map", "transcription": "wer"}
NAMES = (  # those that the project promises, beside its own
    "spc2", "esc50", "voxceleb1", "as20k", "as2m", "librispeech", "librispeech-clean", "librispeech-other",
    "esc10", "esc10mix", "fsdd-digits", "fsdd-speakers", "fsdd-strings",
)  # fmt: skip


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_facts_are_consistent(name):
    module = registry.get("datasets", name)
    facts = module.FACTS
    assert facts.name == name
    assert facts.frames > 0
    assert facts.frames % 16 == 0
    assert facts.metric == METRIC[facts.task]
    assert facts.loss == ("bce" if facts.task == "multilabel" or name == "spc2" else "ce")  # spc2: as released
    assert (facts.num_classes == 0) == (facts.task == "transcription")
    assert facts.num_classes == len(set(facts.classes))
    assert bool(facts.source) != bool(facts.generator)
    assert facts.source in ("", *catalogue.load())
    assert facts.generator in ("", *registry.names("generators"))
    assert callable(module.clips if facts.source else module.select)
    assert facts.folds == 1 or facts.task in ("environmental", "multilabel")
    assert (facts.mean is None) == (facts.std is None)
    assert facts.std is None or facts.std > 0
    assert facts.content == ("speech" if facts.task in ("keyword", "speaker", "transcription") else "general")


def test_all_promised_names_are_there():
    assert set(NAMES) <= set(registry.names("datasets"))


# P0 section 4 and the released scripts: classes, frames, mean, std, loss, metric, folds, tau.
PUBLISHED = {
    "spc2": (35, 128, -6.845978, 5.5654526, "bce", "top1", 1, -0.65),
    "esc50": (50, 512, -6.6268077, 5.358466, "ce", "top1", 5, -0.65),
    "voxceleb1": (1251, 1024, -6.370, 3.074, "ce", "top1", 1, -1.25),
    "as20k": (527, 1024, -4.2677393, 4.5689974, "bce", "map", 1, -1.0),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_facts(name):
    d = registry.get("datasets", name).FACTS
    assert (d.num_classes, d.frames, d.mean, d.std, d.loss, d.metric, d.folds, d.tau) == PUBLISHED[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*PUBLISHED, "as2m")])
def test_without_published_statistics_they_are_computed(name):
    assert registry.get("datasets", name).FACTS.mean is None


def test_listing_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from audioprune import registry\n"
        "from audioprune.sources import catalogue, manifest\n"
        f"for name in {NAMES!r}: registry.get('datasets', name)\n"
        "catalogue.load()\n"
        "heavy = {'torch', 'torchaudio', 'timm', 'numpy', 'pandas', 'soundfile', 'requests'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["esc10", "esc10mix", "fsdd-digits", "fsdd-speakers", "fsdd-strings"])
def test_planned_counts_are_those_of_the_archives(name, esc10_files, fsdd_files):
    module = registry.get("datasets", name)
    facts = module.FACTS
    clips = module.clips({"esc10": esc10_files, "fsdd": fsdd_files}[facts.source].root, {})
    test = sum(clip.fold == 1 or clip.split == "test" for clip in clips)
    assert (len(clips) - test, test) == (facts.train_clips, facts.test_clips)


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def by_id(clips) -> dict:
    assert len({clip.id for clip in clips}) == len(clips)
    return {clip.id: clip for clip in clips}


def test_spc2(tmp_path):
    words = ("yes", "no", "marvin")
    touch(tmp_path, *(f"{word}/{s}_nohash_{n}.wav" for word in words for s in ("0a", "b1") for n in (0, 1)))
    touch(tmp_path, "_background_noise_/pink_noise.wav")
    (tmp_path / "validation_list.txt").write_text("yes/0a_nohash_1.wav\n")
    (tmp_path / "testing_list.txt").write_text("no/b1_nohash_0.wav\nno/b1_nohash_1.wav\n")
    clips = by_id(spc2.clips(tmp_path, {}))
    assert Counter(clip.split for clip in clips.values()) == {"train": 9, "val": 1, "test": 2}
    clip = clips["no/b1_nohash_1.wav"]
    assert (clip.labels, clip.split, clip.speaker) == ((22,), "test", "b1")
    assert {clip.labels for clip in clips.values()} == {(28,), (22,), (27,)}  # yes, no, marvin in AST's numbering
    touch(tmp_path, "maybe/0a_nohash_0.wav")
    with pytest.raises(UserError, match="'maybe' is none of the 35 words"):
        spc2.clips(tmp_path, {})


def test_spc2_incomplete(tmp_path):
    touch(tmp_path, "yes/0a_nohash_0.wav")
    with pytest.raises(UserError, match=r"validation_list.txt is missing"):
        spc2.clips(tmp_path, {})
    (tmp_path / "validation_list.txt").write_text("")
    (tmp_path / "testing_list.txt").write_text("no/0a_nohash_0.wav\n")
    with pytest.raises(UserError, match=r"1 listed clips are missing, the first is no/0a_nohash_0.wav"):
        spc2.clips(tmp_path, {})


def test_esc50(tmp_path):
    touch(tmp_path, "audio/1-100032-A-0.wav", "audio/1-100210-B-36.wav", "audio/5-9032-A-49.wav", "meta/esc50.csv")
    clips = by_id(esc50.clips(tmp_path, {}))
    assert [(c.labels, c.fold, c.recording) for c in clips.values()] == [
        ((0,), 1, "100032"),
        ((36,), 1, "100210"),
        ((49,), 5, "9032"),
    ]
    assert clips["5-9032-A-49"].path == "audio/5-9032-A-49.wav"
    touch(tmp_path, "audio/1-1-A-50.wav")
    with pytest.raises(UserError, match="no class from 0 to 49"):
        esc50.clips(tmp_path, {})


@pytest.mark.parametrize(
    ("number", "name"), [(0, "dog"), (10, "rain"), (20, "crying_baby"), (36, "vacuum_cleaner"), (49, "hand_saw")]
)
def test_esc50_class_numbers(number, name):
    assert esc50.FACTS.classes[number] == name


def test_voxceleb1(tmp_path):
    lines = ["1 id10001/video/00001.wav", "2 id10001/video/00002.wav", "3 id11251/other/00007.wav"]
    (tmp_path / "iden_split.txt").write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match="holds no folder wav"):
        voxceleb1.clips(tmp_path, {})
    touch(tmp_path, *(f"wav/{line[2:]}" for line in lines))
    clips = voxceleb1.clips(tmp_path, {})
    assert [(c.labels, c.split, c.recording) for c in clips] == [
        ((0,), "train", "id10001/video"),
        ((0,), "val", "id10001/video"),
        ((1250,), "test", "id11251/other"),
    ]
    assert all((tmp_path / clip.path).is_file() for clip in clips)
    (tmp_path / "iden_split.txt").write_text("1 id99999/video/00001.wav\n")
    with pytest.raises(UserError, match="not understood: '1 id99999"):
        voxceleb1.clips(tmp_path, {})


@pytest.fixture
def audioset(tmp_path) -> Path:
    rows = "\n".join(f'{i},/m/{i:03d},"Sound {i}, loud"' for i in range(527))
    (tmp_path / "class_labels_indices.csv").write_text(f"index,mid,display_name\n{rows}\n")
    train = [{"wav": "/their/place/as20k_16k_abc.flac", "labels": "/m/526,/m/003,/m/526"}]
    test = [{"wav": "eval/xyz.wav", "labels": "/m/000"}, {"wav": "eval/none.wav", "labels": ""}]
    (tmp_path / "as20k_16k.json").write_text(json.dumps({"data": train}))
    (tmp_path / "audioset_eval.json").write_text(json.dumps({"data": test}))
    return tmp_path


def test_audioset(audioset):
    clips = by_id(as20k.clips(audioset, {}))
    assert [(c.id, c.path, c.labels, c.split) for c in clips.values()] == [
        ("as20k_16k_abc", "/their/place/as20k_16k_abc.flac", (3, 526), "train"),
        ("xyz", "eval/xyz.wav", (0,), "test"),
        ("none", "eval/none.wav", (), "test"),  # without a label: reported by name when it is decoded
    ]
    moved = as20k.clips(audioset, {"train_audio": "train"})
    assert moved[0].path == "train/as20k_16k_abc.flac"
    full = as2m.clips(audioset, {"train_json": "as20k_16k.json"})
    assert [clip.id for clip in full] == list(clips)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("as20k_16k.json", None, "as20k_16k.json is missing"),
        ("as20k_16k.json", "[]", "AST's format"),
        ("as20k_16k.json", '{"data": [{"wav": "a.wav"}]}', "AST's format"),
        ("as20k_16k.json", '{"data": [{"wav": "a.wav", "labels": "/m/99"}]}', "no label '/m/99'; did you mean"),
        ("as20k_16k.json", '{"data": [{"wav": "xyz.flac", "labels": ""}]}', "'xyz' is listed twice"),
        ("class_labels_indices.csv", None, "comes with AST"),
        ("class_labels_indices.csv", "a,b\n1,2\n", "index, mid, display_name"),
        ("class_labels_indices.csv", "index,mid,display_name\n0,/m/0,a\n", "does not number 527 labels"),
    ],
)
def test_audioset_mistakes(audioset, file, text, words):
    if text is None:
        (audioset / file).unlink()
    else:
        (audioset / file).write_text(text)
    with pytest.raises(UserError) as caught:
        as20k.clips(audioset, {})
    assert words in str(caught.value)


def test_librispeech(tmp_path):
    for part, name in (("train-clean-100", "19-198-0000"), ("dev-clean", "84-1-0000"), ("test-clean", "61-7-0000")):
        speaker, chapter, _ = name.split("-")
        folder = tmp_path / part / speaker / chapter
        folder.mkdir(parents=True)
        (folder / f"{speaker}-{chapter}.trans.txt").write_text(f"{name} NORTHANGER ABBEY\n")
        (folder / f"{name}.flac").touch()
    clips = by_id(librispeech.clips(tmp_path, {}))
    assert [(c.id, c.split, c.speaker, c.recording) for c in clips.values()] == [
        ("19-198-0000", "train", "19", "19-198"),
        ("84-1-0000", "val", "84", "84-1"),
        ("61-7-0000", "test", "61", "61-7"),
    ]
    assert {clip.transcript for clip in clips.values()} == {"NORTHANGER ABBEY"}
    assert all((tmp_path / clip.path).is_file() for clip in clips.values())
    with pytest.raises(UserError, match="no files like train-other"):
        librispeech.clips(tmp_path, {"train": "train-other-500"})


@pytest.mark.parametrize("part", ["clean", "other"])
def test_a_test_set_of_librispeech_leaves_out_what_no_window_holds(tmp_path, part):
    """By the header of each file, which soundfile has written."""
    module = registry.get("datasets", f"librispeech-{part}")
    folder = tmp_path / f"test-{part}" / "61" / "70968"
    folder.mkdir(parents=True)
    seconds = (1.5, 30.0, 30.1, 35.0)
    names = [f"61-70968-{i:04}" for i in range(len(seconds))]
    (folder / "61-70968.trans.txt").write_text("".join(f"{name} HE BEGAN\n" for name in names))
    for name, length in zip(names, seconds, strict=True):
        soundfile.write(folder / f"{name}.flac", np.zeros(round(16000 * length), dtype="int16"), 16000)
    found = module.clips(tmp_path, {})
    assert [(clip.id, clip.split, clip.speaker) for clip in found] == [(name, "test", "61") for name in names[:2]]
    assert len(module.clips(tmp_path, {"longest": 35.0})) == 4
    (folder / f"{names[0]}.flac").write_bytes(b"RIFF")
    with pytest.raises(UserError, match=r"librispeech-.*0000\.flac is no FLAC file"):
        module.clips(tmp_path, {})
    (folder / f"{names[0]}.flac").unlink()
    with pytest.raises(UserError, match=r"0000\.flac is missing: the dataset is not complete"):
        module.clips(tmp_path, {})
