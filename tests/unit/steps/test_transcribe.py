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

from audioprune import records
from audioprune.audio.store import write_store
from audioprune.config import checks as config_checks
from audioprune.config import design as config
from audioprune.datasets import commonvoice_100
from audioprune.errors import UserError
from audioprune.facts.recogniser import RECOGNISERS, Recogniser
from audioprune.models import tensors
from audioprune.recognisers import whisper_arms, whisper_decoding
from audioprune.recognisers.whisper_arms import Windows
from audioprune.settings.data import AudioSettings, FetchSettings
from audioprune.settings.speech import TranscribeSettings
from audioprune.sources import catalogue
from audioprune.steps import fetch, transcribe
from audioprune.steps._run import Job
from tests.unit.conftest import FIXTURES, mirror_folder

SMALL = Recogniser("whisper-tiny", 32, 2, 2, multilingual=True, small=True)


@pytest.fixture
def checkpoint(tmp_path, monkeypatch) -> Path:
    """The fetch cell of an official-looking checkpoint of random weights."""
    monkeypatch.setitem(RECOGNISERS, SMALL.name, SMALL)
    torch.manual_seed(0)
    dims = ModelDimensions(80, 1500, 32, 2, 2, 51865, 448, 32, 2, 2)
    cell = tmp_path / "fetch"
    (cell / "files").mkdir(parents=True)
    model = Whisper(dims)
    torch.nn.init.normal_(model.decoder.positional_embedding, std=0.01)  # the library leaves it as memory was
    held = {"dims": vars(dims), "model_state_dict": {k: v.half() for k, v in model.state_dict().items()}}
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


def run(tmp_path, audio, checkpoint, monkeypatch, *, clear=True, **settings) -> tuple[dict, pd.DataFrame]:
    monkeypatch.setattr(whisper_decoding, "UNITS", 6)  # random weights never end
    if clear:
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


def test_every_clip_has_its_tokens_by_number_and_what_they_cost(tmp_path, audio, checkpoint, monkeypatch):
    """block 1 of two: 1500 tokens enter both, and of m tokens of sound ceil(m / 2) leave the second."""
    _, frame = run(
        tmp_path, audio, checkpoint, monkeypatch, policy="stride", keep_rate=0.5, blocks=(1,), within="sound"
    )
    for one in frame.to_dict("records"):
        m, kept = one["sound"], -(-one["sound"] // 2)
        assert one["tokens"].tolist() == [1500, 1500, 1500 - m + kept]
        stay = [(2 * i + 1) * m // (2 * kept) for i in range(kept)]
        assert one["survivors"].tolist() == [*stay, *range(m, 1500)]
        assert [stage.tolist() for stage in one["stages"]] == [one["survivors"].tolist()]
        assert one["survivors"].dtype == np.int16
        assert (one["kept"], one["kept_sound"]) == (1500 - m + kept, kept)
        of = lambda n, m: 4 * n * 32**2 + 2 * n * n * 32 + 2 * n * n + 8 * m * 32**2 + (n + m) * 32  # noqa: E731
        made = lambda n: (3 * 80 * 32 * 2 + 3 * 32 * 32) * n  # noqa: E731
        left = 1500 - m + kept
        assert one["encoder_macs"] == made(1500) + of(1500, 1500) + of(1500, left) + left * 32
        assert one["encoder_macs_sound"] == made(m) + of(m, m) + of(m, kept) + kept * 32
    assert sorted(frame["half"]) == [0, 1]  # two speakers
    assert frame["reference"].tolist() == ["Hello, world!", ""]
    assert (frame["raw_words"].tolist(), frame["audio_seconds"].tolist()) == ([2, 0], [1.0, 2.0])


def test_of_raw_texts_case_and_punctuation_count():
    found = transcribe.errors("hello world", "hello world", "Hello, world!", "hello World")
    assert (found["errors"], found["raw_errors"], found["raw_words"]) == (0, 2, 2)


def test_cells_of_one_process_share_model_and_states_and_say_what_each_alone_says(
    tmp_path, audio, checkpoint, monkeypatch
):
    arms = [{"policy": policy, "keep_rate": 0.5, "blocks": (1,)} for policy in ("topk", "pool", "adjacent")]
    alone = [run(tmp_path, audio, checkpoint, monkeypatch, **arm)[1] for arm in arms]
    transcribe.opened.cache_clear()
    calls = []
    read = transcribe.read
    monkeypatch.setattr(transcribe, "read", lambda *given: calls.append(1) or read(*given))
    begin = whisper_arms.begin
    monkeypatch.setattr(whisper_arms, "begin", lambda *given: calls.append(2) or begin(*given))
    together = [run(tmp_path, audio, checkpoint, monkeypatch, clear=False, **arm)[1] for arm in arms]
    assert sorted(calls) == [1, 2, 2]  # one model, two clips
    for one, wanted in zip(together, alone, strict=True):
        pd.testing.assert_frame_equal(one, wanted)


def stored(folder: Path, clips: list[tuple[str, str, np.ndarray]]) -> Path:
    """Audio of (clip, transcript, waveform), each of its own speaker."""
    about = [{"clip": clip, "split": "test", "recording": clip, "speaker": "", "transcript": t} for clip, t, _ in clips]
    write_store(folder, [(one, wave.astype(np.float32)) for one, (_, _, wave) in zip(about, clips, strict=True)])
    settings = AudioSettings(dataset="x").model_dump(mode="json")
    records.write_json(folder / records.RECORD, {"settings": settings})
    return folder


@pytest.mark.parametrize(
    "arm",
    [
        {},
        {"policy": "topk", "keep_rate": 0.25, "within": "sound"},
        {"policy": "adjacent", "keep_rate": 0.25, "within": "sound", "budget": "threshold"},
        {"policy": "pool", "keep_rate": 0.25, "at_input": True, "within": "sound"},
        {"thin": "attention", "thin_to": 80},
        {"padding": "none", "margin": 0},
        {"padding": "none", "fallback": True},
    ],
)
def test_silence_noise_and_a_clip_of_29_seconds_have_a_result(tmp_path, checkpoint, monkeypatch, arm):
    rng = np.random.default_rng(1)
    clips = [("silence", "", np.zeros(32000)), ("long", "a b", 0.1 * rng.standard_normal(29 * 16000))]
    clips += [("noise", "", 0.9 * rng.uniform(-1, 1, 8000)), ("blip", "c", 0.1 * rng.standard_normal(400))]
    own = arm | ({"blocks": (1,)} if {"policy", "thin"} & set(arm) else {})
    results, frame = run(tmp_path, stored(tmp_path / "audio", clips), checkpoint, monkeypatch, **own)
    assert frame["clip"].tolist() == ["silence", "long", "noise", "blip"]
    assert frame["words"].tolist() == [0, 2, 0, 1]
    assert (frame["kept"] > 0).all()
    assert frame["sound"].iloc[0] == 0 or arm.get("padding") == "none"
    assert results["clips"] == 4
    if arm.get("budget"):
        assert [row["block"] for row in results["thresholds"]] == [1, 1]
        assert set(results["budget"]) == {"target", "achieved", "matched"}


def test_clips_of_no_use_and_references_of_no_words_are_named(tmp_path, checkpoint, monkeypatch):
    short = stored(tmp_path / "short", [("nothing", "a", np.zeros(399))])
    with pytest.raises(UserError, match=r"nothing has 399 samples, .*bad_clips: set_aside"):
        run(tmp_path, short, checkpoint, monkeypatch)
    silent = stored(tmp_path / "silent", [("c", "(laughs)", np.ones(4000) * 0.01)])
    with pytest.raises(UserError, match="the test clips of x have no word of reference"):
        run(tmp_path, silent, checkpoint, monkeypatch)


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
        (lambda path, held: weights(path, held, {"encoder.conv1.bias": None}), r"Missing .*encoder\.conv1\.bias"),
        (lambda path, held: weights(path, held, {"more": torch.zeros(1)}), r"Unexpected .*more"),
        (
            lambda path, held: weights(path, held, {"decoder.ln.bias": torch.zeros(3)}),
            r"decoder\.ln\.bias.*\[3\].*\[32\]",
        ),
        (lambda path, held: path.write_bytes(b""), r"the right one is at https://.*/tiny\.pt"),
    ],
)
def test_a_wrong_checkpoint_is_named(checkpoint, write, words):
    path = checkpoint / "files" / "small.pt"
    write(path, torch.load(path, weights_only=True))
    with pytest.raises(UserError, match=words):
        transcribe.read(path, SMALL)


def weights(path: Path, held: dict, changed: dict) -> None:
    """A checkpoint with other tensors; None: without."""
    state = held["model_state_dict"] | changed
    torch.save(held | {"model_state_dict": {name: one for name, one in state.items() if one is not None}}, path)


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
