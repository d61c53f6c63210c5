"""The audio step: decoding from a folder, choosing from a generator, and bad clips stopped at or set aside by name."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from audioprune.audio.store import WaveformStore, write_store
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip
from audioprune.settings.data import AudioSettings
from audioprune.steps import audio as step
from audioprune.steps._run import Job


def write(path: Path, seed: int = 0, rate: int = 16000, samples: int = 1600) -> np.ndarray:
    steps = np.random.default_rng(seed).integers(-9000, 9000, samples).astype(np.int16)
    soundfile.write(path, steps, rate)
    return steps / np.float32(32768)


@pytest.fixture
def fetched(tmp_path) -> Path:
    (tmp_path / "fetch" / "files").mkdir(parents=True)
    return tmp_path / "fetch"


def run(tmp_path, monkeypatch, module, inputs, task="keyword", **settings) -> tuple[dict, Path]:
    module = SimpleNamespace(FACTS=SimpleNamespace(task=task, source="fsdd", classes=("a", "b", "c")), **module)
    monkeypatch.setattr(step.registry, "get", lambda kind, name: module)
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    chosen = AudioSettings(dataset="made", **settings)
    return step.audio(Job("audio", "made", "k", chosen, inputs, out, tmp_path / "resume")), out


def test_clips_are_decoded_in_the_datasets_order(tmp_path, monkeypatch, fetched):
    files = fetched / "files"
    expected = [write(files / f"{i}.wav", seed=i, samples=1000 + i) for i in range(40)]
    clips = [
        Clip(id=f"c{i}", path=f"{i}.wav", labels=(i % 3,), split=("train", "test")[i % 2], speaker=f"s{i}")
        for i in reversed(range(40))
    ]
    seen = {}

    def listing(root, options):
        seen.update(root=root, options=options)
        return clips

    results, out = run(tmp_path, monkeypatch, {"clips": listing}, {"fetch": fetched}, options={"noise": 3})
    assert seen == {"root": files, "options": {"noise": 3}}
    store = WaveformStore.open(out)
    assert store.clips["clip"].tolist() == [clip.id for clip in clips]
    assert store.clips["speaker"].tolist() == [clip.speaker for clip in clips]
    for row, clip in enumerate(clips):
        assert np.array_equal(store.waveform(row), expected[int(clip.id[1:])])
    assert results["clips"] == 40
    assert results["splits"] == {"test": 20, "train": 20}
    assert results["folds"] == {}
    assert results["hours"] == pytest.approx(sum(map(len, expected)) / 16000 / 3600, abs=1e-6)
    assert results["clipped_samples"] == 0
    assert results["set_aside"] == {}
    assert (out / "set_aside.csv").read_text() == "clip,reason,detail\n"
    json.dumps(results)


def test_joined_clips_folds_and_extents(tmp_path, monkeypatch, fetched):
    a, b = (write(fetched / "files" / f"{name}.wav", seed) for name, seed in (("a", 1), ("b", 2)))
    clips = [
        Clip(id="ab", path="", parts=("a.wav", "b.wav"), join="concatenate", transcript="one two", fold=2),
        Clip(id="a", path="a.wav", transcript="one", fold=1, extents=((0.0, 0.1, 20.0, 8000.0),)),
    ]
    results, out = run(
        tmp_path, monkeypatch, {"clips": lambda root, options: clips}, {"fetch": fetched}, task="transcription"
    )
    store = WaveformStore.open(out)
    assert np.array_equal(store.waveform(0), np.concatenate([a, b]))
    assert json.loads(store.clips["extents"][1]) == [[0.0, 0.1, 20.0, 8000.0]]
    assert results["folds"] == {"1": 1, "2": 1}
    assert results["splits"] == {}


def broken(files: Path) -> list[Clip]:
    """One clip of every reason that a file or a table can give, after two good ones."""
    write(files / "good.wav"), write(files / "fine.wav", 1)
    (files / "noise.wav").write_bytes(b"RIFF nothing")
    soundfile.write(files / "silent.wav", np.zeros(500), 16000)
    soundfile.write(files / "nan.wav", np.array([0.1, np.nan, 0.2]), 16000, subtype="FLOAT")
    soundfile.write(files / "empty.wav", np.zeros(0), 16000)
    write(files / "cut.wav")
    (files / "cut.wav").write_bytes((files / "cut.wav").read_bytes()[:-100])
    names = ("good", "noise", "silent", "nan", "empty", "cut", "gone", "fine")
    return [Clip(id=name, path=f"{name}.wav", labels=(0,)) for name in names] + [Clip(id="bare", path="good.wav")]


REASONS = {
    "noise": "unreadable", "silent": "silent", "nan": "not_finite", "empty": "empty", "cut": "truncated",
    "gone": "missing", "bare": "no_label",
}  # fmt: skip


def test_bad_clips_stop_it_with_one_message_that_names_them_all(tmp_path, monkeypatch, fetched):
    clips = broken(fetched / "files")
    with pytest.raises(UserError) as caught:
        run(tmp_path, monkeypatch, {"clips": lambda root, options: clips}, {"fetch": fetched})
    message = str(caught.value)
    assert all(f"{name}: {reason}" in message for name, reason in REASONS.items())
    assert "7 clips" in message
    assert "bad_clips: set_aside" in message
    assert "good" not in message
    assert str(tmp_path) not in message


def test_bad_clips_are_set_aside_listed_and_counted(tmp_path, monkeypatch, fetched):
    clips = broken(fetched / "files")
    results, out = run(
        tmp_path, monkeypatch, {"clips": lambda root, options: clips}, {"fetch": fetched}, bad_clips="set_aside"
    )
    assert WaveformStore.open(out).clips["clip"].tolist() == ["good", "fine"]
    assert results["clips"] == 2
    assert results["set_aside"] == dict.fromkeys(sorted(REASONS.values()), 1)
    with open(out / "set_aside.csv", newline="") as file:
        assert {row["clip"]: row["reason"] for row in csv.DictReader(file)} == REASONS


def test_nothing_left_is_an_error_even_when_set_aside(tmp_path, monkeypatch, fetched):
    clips = [Clip(id="gone", path="gone.wav", labels=(1,))]
    with pytest.raises(UserError, match="no clip is left"):
        run(tmp_path, monkeypatch, {"clips": lambda root, options: clips}, {"fetch": fetched}, bad_clips="set_aside")


def test_noise_that_a_dataset_asks_for_is_mixed_in(tmp_path, monkeypatch, fetched):
    clean = write(fetched / "files" / "a.wav", samples=16000)
    clips = [
        Clip(id="clean", path="a.wav", labels=(0,)),
        Clip(id="noisy", path="a.wav", labels=(0,), meta={"noise_snr_db": 10.0, "noise_seed": 5}),
    ]
    _, out = run(tmp_path, monkeypatch, {"clips": lambda root, options: clips}, {"fetch": fetched})
    store = WaveformStore.open(out)
    assert np.array_equal(store.waveform(0), clean)
    noise = store.waveform(1).astype(float) - clean
    assert 10 * np.log10(np.mean(clean.astype(float) ** 2) / np.mean(noise**2)) == pytest.approx(10, abs=0.05)


def test_two_clips_of_one_name_are_an_error(tmp_path, monkeypatch, fetched):
    write(fetched / "files" / "a.wav")
    clips = [Clip(id="a", path="a.wav", labels=(1,))] * 2
    with pytest.raises(UserError, match="made: two clips are named 'a'"):
        run(tmp_path, monkeypatch, {"clips": lambda root, options: clips}, {"fetch": fetched})


def test_a_transcription_clip_needs_a_transcript_not_a_label():
    row = {"labels": (), "transcript": "two"}
    assert step.check_label(row, "transcription") is None
    for wrong, task in (({"labels": (1,), "transcript": " "}, "transcription"), (row, "multilabel")):
        with pytest.raises(step.BadClip, match="no_label"):
            step.check_label(wrong, task)


def test_a_generators_clips_are_chosen_and_copied_bit_for_bit(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    made = [({"clip": f"g{i}", "labels": (i,)}, (rng.integers(-32768, 32768, 50) / 32768)) for i in range(5)]
    write_store(tmp_path / "generate", made)

    def select(clips, options):
        chosen = clips.iloc[[4, 1, 2]].copy()
        chosen["split"] = ["test", "train", "train"]
        chosen["labels"] = [[options["label"]]] * 3
        return chosen

    results, out = run(
        tmp_path, monkeypatch, {"select": select}, {"generate": tmp_path / "generate"}, options={"label": 9}
    )
    store, source = WaveformStore.open(out), WaveformStore.open(tmp_path / "generate")
    assert store.clips["clip"].tolist() == ["g4", "g1", "g2"]
    assert store.clips["offset"].tolist() == [0, 50, 100]
    assert [list(labels) for labels in store.clips["labels"]] == [[9]] * 3
    assert np.array_equal(store.waveform(0), source.waveform(4))
    assert np.array_equal(store.waveform(2), source.waveform(2))
    assert results["splits"] == {"test": 1, "train": 2}
    assert results["clipped_samples"] == 0


def test_what_was_done_is_counted_and_kept_clip_by_clip(tmp_path, monkeypatch, fetched, caplog):
    files = fetched / "files"
    write(files / "plain.wav"), write(files / "slow.wav", 1, rate=8000), write(files / "fast.wav", 2, rate=44100)
    noise = np.random.default_rng(3).uniform(-0.9, 0.9, (1600, 2))
    soundfile.write(files / "stereo.wav", noise, 16000)
    soundfile.write(files / "loud.wav", 1.5 * noise[:, 0], 16000, subtype="FLOAT")
    soundfile.write(files / "steps.wav", 9000 * noise[:, 0], 16000, subtype="FLOAT")
    soundfile.write(files / "tiny.wav", noise[:2, 0], 16000)
    square = np.sign(np.sin(np.arange(4410) / 20))
    soundfile.write(files / "square.wav", square * 0.9999, 44100)  # which rings when it is resampled
    names = ("plain", "slow", "fast", "stereo", "loud", "steps", "tiny", "square")
    clips = [Clip(id=name, path=f"{name}.wav", labels=(0,)) for name in names]
    results, out = run(tmp_path, monkeypatch, {"clips": lambda root, options: clips}, {"fetch": fetched})
    assert results["treated"] == {
        "resampled": 3, "low_rate": 1, "mixed_down": 1, "scaled": 2, "clipped": 1, "no_frame": 1,
    }  # fmt: skip
    table = WaveformStore.open(out).clips.set_index("clip")
    assert table["rate"].tolist() == [16000, 8000, 44100, 16000, 16000, 16000, 16000, 44100]
    assert table["channels"].tolist() == [1, 1, 1, 2, 1, 1, 1, 1]
    assert table["divisor"].round(2).tolist() == [1, 1, 1, 1, 1.35, 32768, 1, 1]
    assert table["clipped"][table["clipped"] > 0].index.tolist() == ["square"]
    assert "made: shorter than one frame of 25 ms: tiny" in caplog.text
    assert "made: floats beyond full scale, divided: loud, steps" in caplog.text


def test_a_class_whose_training_clips_are_all_set_aside_stops_it(tmp_path, monkeypatch, fetched):
    write(fetched / "files" / "a.wav")
    clips = [Clip(id=name, path="a.wav", labels=(0,), split="train") for name in ("one", "two")]
    clips += [Clip(id="gone", path="gone.wav", labels=(2,), split="train")]
    clips += [Clip(id="tested", path="a.wav", labels=(2,), split="test")]
    with pytest.raises(UserError, match=r"made: no training clip is left of 'c'\n(.|\n)*gone: missing"):
        run(tmp_path, monkeypatch, {"clips": lambda root, options: clips}, {"fetch": fetched}, bad_clips="set_aside")
