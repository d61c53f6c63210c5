"""The step `transcribe` and the tables made of it: errors, tokens and MACs by hand, and the published checkpoint."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import whisper
from whisper.model import ModelDimensions, Whisper
from whisper.normalizers import EnglishTextNormalizer

from audioprune import config, config_checks, records
from audioprune.audio.store import write_store
from audioprune.datasets import commonvoice_100
from audioprune.errors import UserError
from audioprune.facts.recogniser import RECOGNISERS, Recogniser
from audioprune.models import tensors
from audioprune.recognisers import whisper_decoding
from audioprune.recognisers.whisper_arms import Windows
from audioprune.settings import AudioSettings, FetchSettings, TranscribeSettings
from audioprune.sources import catalogue
from audioprune.steps import fetch, transcribe
from audioprune.steps._run import Job
from conftest import FIXTURES, mirror_folder

SMALL = Recogniser("whisper-tiny", 32, 2, 2, multilingual=True, small=True)


@pytest.fixture
def checkpoint(tmp_path, monkeypatch) -> Path:
    """The fetch cell of an official-looking checkpoint of random weights."""
    monkeypatch.setitem(RECOGNISERS, SMALL.name, SMALL)
    torch.manual_seed(0)
    dims = ModelDimensions(80, 1500, 32, 2, 2, 51865, 448, 32, 2, 2)
    cell = tmp_path / "fetch"
    (cell / "files").mkdir(parents=True)
    held = {"dims": vars(dims), "model_state_dict": {k: v.half() for k, v in Whisper(dims).state_dict().items()}}
    torch.save(held, cell / "files" / "small.pt")
    settings = FetchSettings(source="checkpoint-whisper-base").model_dump(mode="json")
    records.write_json(cell / records.RECORD, {"settings": settings})
    return cell


@pytest.fixture
def audio(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    rows = [
        ({"clip": f"c{i}", "split": split, "recording": f"s{i}", "speaker": f"s{i}", "transcript": text}, wave)
        for i, (split, text, wave) in enumerate(
            (split, text, 0.1 * rng.standard_normal(16000 * seconds).astype(np.float32))
            for split, text, seconds in (("test", "Hello, world!", 1), ("train", "no", 1), ("test", "", 2))
        )
    ]
    write_store(tmp_path / "audio", rows)
    records.write_json(
        tmp_path / "audio" / records.RECORD, {"settings": AudioSettings(dataset="x").model_dump(mode="json")}
    )
    return tmp_path / "audio"


def run(tmp_path, audio, checkpoint, monkeypatch, **settings) -> tuple[dict, pd.DataFrame]:
    monkeypatch.setattr(whisper_decoding, "UNITS", 6)  # random weights never end
    transcribe.opened.cache_clear()
    out = tmp_path / f"out{len(list(tmp_path.glob('out*')))}"
    out.mkdir()
    own = TranscribeSettings(recogniser=SMALL.name, dataset="x", **settings)
    job = Job("transcribe", "a", "k", own, {"audio": audio, "checkpoint": checkpoint}, out, tmp_path / "resume")
    return transcribe.transcribe(job), pd.read_parquet(out / "transcripts.parquet")


def test_test_clips_are_heard_and_every_error_is_counted(tmp_path, audio, checkpoint, monkeypatch):
    results, frame = run(tmp_path, audio, checkpoint, monkeypatch)
    assert frame["clip"].tolist() == ["c0", "c2"]  # no training clip
    assert frame["words"].tolist() == [2, 0]
    assert (frame["errors"] == frame[["substituted", "deleted", "inserted"]].sum(axis=1)).all()
    assert frame["kept"].tolist() == [1500, 1500]
    assert [round(sound / 50) for sound in frame["sound"]] == [1, 2]
    assert frame["runaway"].tolist() == [True, True]  # the limit of units was reached
    assert results["wer"] == frame["errors"].sum() / 2
    _, same = run(tmp_path, audio, checkpoint, monkeypatch)
    pd.testing.assert_frame_equal(frame, same)


def test_pruning_reaches_the_model_and_its_cost(tmp_path, audio, checkpoint, monkeypatch):
    _, whole = run(tmp_path, audio, checkpoint, monkeypatch)
    chosen = {"policy": "topk", "keep_rate": 0.5, "blocks": (1,)}
    _, window = run(tmp_path, audio, checkpoint, monkeypatch, **chosen)
    _, sound = run(tmp_path, audio, checkpoint, monkeypatch, **chosen, within="sound")
    assert window["kept"].tolist() == [750, 750]
    assert (sound["kept"] == 1500 - whole["sound"] // 2).all()
    assert (sound["kept_sound"] == -(-whole["sound"] // 2)).all()
    assert (window["encoder_macs"] < sound["encoder_macs"]).all()
    assert (sound["encoder_macs"] < whole["encoder_macs"]).all()
    # block 1: 1500 tokens enter and 750 leave its selection: 750 of 1500 tokens' norm and MLP go, a score comes, and
    # the final norm is of 750.
    saved = 750 * 32 + 8 * 750 * 32 * 32 - 1500 + 750 * 32
    assert (whole["encoder_macs"] - window["encoder_macs"]).tolist() == [saved, saved]


def test_a_clip_longer_than_a_window_stops_it(tmp_path, audio, checkpoint, monkeypatch):
    monkeypatch.setattr(whisper.audio, "N_SAMPLES", 20000)
    with pytest.raises(UserError, match=r"c2 lasts 2\.0 s, and a window of whisper-tiny is 30 s"):
        run(tmp_path, audio, checkpoint, monkeypatch)


@pytest.mark.parametrize(
    ("reference", "heard", "counts"),
    [
        ("the cat sat down", "the cat sat down", (4, 0, 0, 0)),
        ("the cat sat down", "a cat sat", (4, 1, 1, 0)),
        ("cat", "the cat sat", (1, 0, 0, 2)),
        ("", "", (0, 0, 0, 0)),
        ("", "thank you", (0, 0, 0, 2)),
        ("the cat", "", (2, 0, 2, 0)),
    ],
)
def test_errors_by_hand(reference, heard, counts):
    found = transcribe.errors(reference, heard)
    assert tuple(found[name] for name in ("words", "substituted", "deleted", "inserted")) == counts
    assert found["errors"] == sum(counts[1:])


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path, held: path.write_bytes(path.read_bytes()[:5000]), "is no whole checkpoint of openai-whisper"),
        (lambda path, held: path.write_bytes(b"not weights at all"), "is no whole checkpoint of openai-whisper"),
        (lambda path, held: torch.save({"x": 1}, path), "is no whole checkpoint of openai-whisper"),
        (lambda path, held: torch.save(held | {"dims": held["dims"] | {"n_audio_head": 4}}, path), "another Whisper"),
    ],
)
def test_a_wrong_checkpoint_is_named(checkpoint, write, words):
    path = checkpoint / "files" / "small.pt"
    write(path, torch.load(path, weights_only=True))
    with pytest.raises(UserError, match=words):
        transcribe.read(path, SMALL)


def test_digest_of_tensors_does_not_depend_on_the_file(tmp_path):
    import hashlib

    one = {"a": torch.arange(6, dtype=torch.float16).reshape(2, 3), "b": torch.zeros(1)}
    torch.save(one, tmp_path / "plain.pt")
    torch.save({"dims": {}, "model_state_dict": dict(reversed(one.items()))}, tmp_path / "held.pt")
    lines = [
        f"a float16 2x3 {hashlib.sha256(one['a'].numpy().tobytes()).hexdigest()}\n",
        f"b float32 1 {hashlib.sha256(bytes(4)).hexdigest()}\n",
    ]
    wanted = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert tensors.digest(tmp_path / "plain.pt") == tensors.digest(tmp_path / "held.pt") == wanted
    (tmp_path / "no.pt").write_text("no")
    with pytest.raises(UserError, match="cannot be read as a checkpoint"):
        tensors.digest(tmp_path / "no.pt")


def test_a_mirrors_file_is_taken_by_its_tensors(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOPRUNE_MIRROR", str(tmp_path))
    torch.save({"a": torch.ones(2)}, tmp_path / "w.pt")
    digest = tensors.digest(tmp_path / "w.pt")
    about = {"url": "https://example.org/w.pt", "file": "w.pt", "sha256": "0" * 64}
    assert fetch.obtain(catalogue.Archive(**about, tensors=digest), tmp_path)[1] == "mirror"
    torch.save({"a": torch.zeros(2)}, tmp_path / "w.pt")
    with pytest.raises(UserError, match="does not hold the published weights"):
        fetch.obtain(catalogue.Archive(**about, tensors=digest), tmp_path)
    with pytest.raises(UserError, match="is not the published archive"):
        fetch.obtain(catalogue.Archive(**about), tmp_path)


def test_official_checkpoints_bear_their_checksum_in_their_address():
    rows = catalogue.load()
    for facts in RECOGNISERS.values():
        (archive,) = rows[facts.checkpoint].archives
        size = archive.file.removesuffix(".pt")
        assert archive.url == whisper._MODELS[size]
        assert archive.sha256 == archive.url.split("/")[-2]
        assert facts.name == f"whisper-{size.replace('.', '-')}"


# --- configuration, data and the real thing ---


def test_wrong_names_and_numbers_of_a_study_of_speech_are_all_told(monkeypatch):
    given = {
        "recognisers": ["whisper-bass"],
        "datasets": ["esc50"],
        "policies": ["topkk"],
        "keep_rates": [1.5],
        "blocks": [[2, 1]],
    }
    text = {"recipes": {}, "studies": {"s": {"title": "t", "tier": "real miniature", "recognitions": [given]}}}
    errors = "\n".join(config_checks.errors_of(config.Config.model_validate(text)))
    for words in (
        "did you mean 'whisper-base'",
        "'esc50'",
        "did you mean 'topk'",
        "1.5 is not above 0",
        "[2, 1] must be",
    ):
        assert words in errors
    with pytest.raises(ValueError, match="a study of nothing"):
        config.Study(title="t", tier="synthetic")


def test_the_real_recordings(commonvoice_files):
    if not commonvoice_files.real:
        (commonvoice_files.root / "validated.csv").write_text(
            "client_id,path,sentence\n" + "".join(f"{i % 99:02x}{0:062x},c{i}.wav,A sentence.\n" for i in range(100))
        )
    clips = commonvoice_100.clips(commonvoice_files.root, {})
    assert len({clip.id for clip in clips}) == 100
    assert len({clip.speaker for clip in clips}) == 99
    assert all((commonvoice_files.root / clip.path).is_file() for clip in clips) or not commonvoice_files.real
    assert {clip.split for clip in clips} == {"test"}


def test_the_published_weights_hear_what_the_library_alone_heard(commonvoice_files):
    """Transcripts recorded with openai-whisper 20250625, without this project's code, greedy in float32."""
    weights = mirror_folder() / "base.pt"
    if not (weights.is_file() and commonvoice_files.real):
        assert not os.environ.get("AUDIOPRUNE_MIRROR"), "the mirror lacks base.pt or the recordings"
        return
    assert tensors.digest(weights) == catalogue.load()["checkpoint-whisper-base"].archives[0].tensors
    facts, normal = RECOGNISERS["whisper-base"], EnglishTextNormalizer()
    model = transcribe.read(weights, facts)
    encoder, model.encoder = model.encoder, torch.nn.Identity()
    sentences = {clip.id: clip for clip in commonvoice_100.clips(commonvoice_files.root, {})}
    recorded = json.loads((FIXTURES / "whisper_base_heard.json").read_text(encoding="utf-8"))
    read = [soundfile.read(commonvoice_files.root / sentences[name].path, dtype="float32") for name in recorded]
    assert {rate for _, rate in read} == {16000}
    windows = Windows(encoder, facts, [torch.from_numpy(wave) for wave, _ in read], list(recorded))
    own = TranscribeSettings(recogniser="whisper-base", dataset="commonvoice-100")
    found, _ = transcribe.recognised(own, model, windows, [0] * len(read), "test")
    for (name, wanted), (wave, _), (one, said) in zip(recorded.items(), read, found, strict=True):
        assert normal(sentences[name].transcript) == wanted["reference"]
        assert normal(said.text) == wanted["heard"]
        assert one.sound == pytest.approx(50 * len(wave) / 16000, abs=1.5)
