"""`audioprune predict`: labels with scores from a cell and from a checkpoint, for audio of any length and format."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from audioprune import library, records
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.cli.main import main
from audioprune.models.build import build_model
from audioprune.settings.data import AudioSettings, UserFolder
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings
from tests import REPOSITORY
from tests.fakes.tiny_training import FRAMES, RECIPE, stores

PARITY = REPOSITORY / "tests" / "fixtures" / "parity"
ADDRESS = "audiomae-tiny/tones/topk-kr0.5/fold1-seed0"
PRUNING = Pruning(method="topk", keep_rate=0.5)


def write(folder: Path, kind: str, address: str, key: str, settings, **inputs: str) -> Path:
    cell = folder / "results" / "cells" / kind / address / key
    cell.mkdir(parents=True, exist_ok=True)
    record = {"kind": kind, "address": address, "settings": settings.model_dump(mode="json"), "inputs": inputs}
    records.write_json(cell / records.RECORD, record)
    return cell


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """A fine-tuning of random weights on tones of 34 frames, in a model of 32, and an evaluation of it."""
    folder = tmp_path_factory.mktemp("study")
    user = UserFolder(folder="tones", csv="t.csv", task="keyword", classes=("low", "high"), frames=FRAMES)
    audio = write(folder, "audio", "tones", "a", AudioSettings(dataset="tones", user=user))
    stores(audio)
    features = write(folder, "features", "tones", "f", AudioSettings(dataset="tones"))
    for name in ("fbank.npy", "frames.npy", "stats.json"):
        (audio / name).rename(features / name)
    np.save(features / "moments.npy", np.stack([np.full(24, -6.0), np.full(24, 45.0)], axis=1))  # mean -6, SD 3
    trained = FinetuneSettings(
        model=Model(backbone="audiomae-tiny"), dataset="tones", recipe=RECIPE, pruning=PRUNING, seed=0
    )
    tuned = write(folder, "finetune", ADDRESS, "t", trained, audio="a", features="f")
    model = model_of(1.0)
    save_file(model.state_dict(), tuned / "last.safetensors")
    label = f"{ADDRESS}/eval-none-kr1/last"
    write(folder, "evaluate", label, "e", EvaluateSettings(), audio="a", features="f", finetune="t")
    draw = np.random.default_rng(1)
    tone = 0.1 * np.sin(2 * np.pi * 700 * np.arange(11 * 44100) / 44100) + 0.02 * draw.standard_normal(11 * 44100)
    soundfile.write(folder / "three.mp3", tone[: 3 * 44100], 44100)
    soundfile.write(folder / "eleven.flac", np.stack([tone, 0.5 * tone], axis=1), 44100)
    soundfile.write(folder / "short.wav", tone[: round(0.3 * 44100)], 44100)
    soundfile.write(folder / "silent.wav", np.zeros(4410), 44100)
    return folder


def model_of(keep_rate: float):
    model = build_model("audiomae-tiny", frames=FRAMES, num_classes=2, method="topk", keep_rate=keep_rate, seed=3)
    with torch.no_grad():
        model.head.weight.copy_(torch.randn(2, 64, generator=torch.Generator().manual_seed(0)))
    return model.eval()


@pytest.fixture(autouse=True)
def inside(study, monkeypatch):
    monkeypatch.chdir(study)


def run(capsys, *words: str, code: int = 0) -> str:
    assert main(["predict", *words]) == code
    return capsys.readouterr().out


FILES = ("three.mp3", "eleven.flac", "short.wav")


def test_audio_of_any_length_and_format(capsys):
    rows = list(csv.DictReader(io.StringIO(run(capsys, *FILES, "--model", f"finetune/{ADDRESS}"))))
    assert [(row["file"], row["rank"]) for row in rows] == [(file, rank) for file in FILES for rank in "12"]
    # 1 + (seconds x 16000 - 400) // 160 frames; 19, 69 and 2 columns in windows of 2
    found = {row["file"]: (int(row["frames"]), int(row["windows"])) for row in rows}
    assert found == {"three.mp3": (298, 10), "eleven.flac": (1098, 35), "short.wav": (28, 1)}
    for file in FILES:
        own = {row["label"]: float(row["score"]) for row in rows if row["file"] == file}
        assert set(own) == {"low", "high"}
        assert sum(own.values()) == pytest.approx(1, abs=2e-6)


def test_scores_of_a_clip_are_those_that_an_evaluation_of_it_would_store(capsys, study):
    """A test clip as long as the model: normalised and scored as in the study."""
    cells = study / "results" / "cells"
    store = WaveformStore.open(cells / "audio" / "tones" / "a")
    whole = store.waveform(0)[: 400 + 160 * (FRAMES - 1)]
    soundfile.write("whole.wav", whole, 16000)
    features = FeatureStore.open(cells / "features" / "tones" / "f")
    for cell, keep_rate in ((f"finetune/{ADDRESS}/t", 0.5), (f"evaluate/{ADDRESS}/eval-none-kr1/last", 1.0)):
        (one,) = json.loads(run(capsys, "whole.wav", "--model", cell, "--json"))["files"]
        x = (features.raw([0]) + 6) / 6  # of the same frames; the clip's mean is over 5440 samples, not 5360
        with torch.no_grad():
            expected = model_of(keep_rate)(x)[0].softmax(0)
        found = {said["label"]: said["score"] for said in one["labels"]}
        assert [found["low"], found["high"]] == pytest.approx(expected.tolist(), abs=5e-3)


def test_pictures_of_what_is_kept(capsys, study):
    (study / "again").mkdir(exist_ok=True)
    soundfile.write(study / "again" / "short.wav", np.random.default_rng(0).normal(0, 0.1, 4800), 16000)
    words = (
        "short.wav",
        "again/short.wav",
        "eleven.flac",
        "--model",
        f"finetune/{ADDRESS}",
        "--kept",
        "kept",
        "--json",
    )
    found = json.loads(run(capsys, *words))["files"]
    assert [one["kept"] for one in found] == ["kept/short.svg", "kept/short-2.svg", "kept/eleven.svg"]
    text = (study / "kept" / "short.svg").read_text()
    # 2 columns of 8 patches; ceil(16 / 2), ceil(8 / 2), ceil(4 / 2) stay
    assert all(f">{title}<" in text or title in text for title in ("input: 16 patches", "after block 9: 2"))
    assert main(["predict", "short.wav", "--model", f"evaluate/{ADDRESS}/eval-none-kr1/last", "--kept", "x"]) == 1
    assert "keeps every patch: --kept shows nothing without --keep-rate below 1" in capsys.readouterr().err


def test_all_bad_files_are_told_at_once_after_the_others(capsys, study):
    (study / "text.wav").write_text("no audio")
    words = ["predict", "no.wav", "short.wav", "silent.wav", "text.wav", "--model", f"finetune/{ADDRESS}"]
    assert main(words) == 1
    told = capsys.readouterr()
    assert [line.split(",")[0] for line in told.out.splitlines()] == ["file", "short.wav", "short.wav"]
    assert told.err.splitlines()[0] == "audioprune: 3 of 4 files cannot be used:"
    assert [line.split(": ")[:2] for line in told.err.splitlines()[1:]] == [
        ["no.wav", "missing"], ["silent.wav", "silent"], ["text.wav", "unreadable"],
    ]  # fmt: skip


def test_a_checkpoint_names_its_labels_by_a_file(capsys, study):
    save_file(model_of(1.0).state_dict(), study / "own.safetensors", {"num_heads": "4"})
    (study / "names.txt").write_text("down\nup\n")
    words = ("short.wav", "--model", "own.safetensors", "--frames", "32", "--mean", "-6", "--std", "3")
    (one,) = json.loads(run(capsys, *words, "--labels", "names.txt", "--json", "--top", "1"))["files"]
    same = json.loads(run(capsys, "short.wav", "--model", f"evaluate/{ADDRESS}/eval-none-kr1/last", "--json"))["files"]
    (said,) = one["labels"]
    assert {"down": "low", "up": "high"}[said["label"]] == same[0]["labels"][0]["label"]
    assert said["score"] == pytest.approx(same[0]["labels"][0]["score"])
    both = json.loads(run(capsys, *words, "--labels", "names.txt", "--json", "--multi-label"))["files"][0]["labels"]
    with torch.no_grad():
        x = library.fbank("short.wav", frames=None, mean=-6, std=3)
        logits = library.load_model("audiomae-tiny", "own.safetensors", frames=FRAMES, num_classes=None, keep_rate=1.0)(
            x
        )[0].tolist()
    assert [each["label"] for each in both] == ["down", "up"]
    assert [each["score"] for each in both] == pytest.approx([1 / (1 + math.exp(-logit)) for logit in logits])
    (study / "three.txt").write_text("a\nb\nc\n")
    assert main(["predict", *words, "--labels", "three.txt"]) == 1
    assert "three.txt names 3 labels, and the model's head has 2" in capsys.readouterr().err
    assert main(["predict", *words]) == 1
    assert "does not name its labels: give --dataset, or --labels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "finetune/nothing"], "neither a checkpoint nor a cell that was made"),
        (["--model", "audio/tones"], "is of the kind audio: name a fine-tuning or an evaluation"),
        (["--model", f"finetune/{ADDRESS}", "--dataset", "esc50"], "--dataset, --frames and --multi-label are about"),
        (["--model", f"finetune/{ADDRESS}", "--top", "-1"], "--top -1 is below 0"),
        (["--model", f"finetune/{ADDRESS}", "--method", "topq", "--keep-rate", "0.5"], "did you mean 'topk'"),
        (
            ["--model", str(PARITY / "audiomae_tiny_official_format.pth"), "--dataset", "esc50"],
            "is the encoder of an AudioMAE pre-training and has no head",
        ),
        (["--model", str(PARITY / "ast_tiny_official_format.pth")], "give --dataset, or --frames"),
        (["--model", str(PARITY / "ast_tiny_official_format.pth"), "--dataset", "esc5"], "did you mean 'esc50'"),
        (
            ["--model", str(PARITY / "ast_tiny_official_format.pth"), "--dataset", "esc50", "--multi-label"],
            "esc50 says itself whether its clips have several labels",
        ),
    ],
)
def test_refused(capsys, words, message):
    assert main(["predict", "short.wav", *words]) == 1
    assert message in capsys.readouterr().err
