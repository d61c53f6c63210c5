"""Made audio: keyword-like clips of 0.6 s from a small formant synthesiser, and long ones for timing. Deterministic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from audioprune import records
from audioprune.audio.store import write_store
from audioprune.generators._synthesis import add_at, band_noise, finish, harmonics, samples, stream, window
from audioprune.settings.data import AudioSettings, FeaturesSettings, UserFolder
from audioprune.steps._run import Job
from audioprune.steps.features import features

NAME, FRAMES = "made-words", 64
VOWELS = {"a": (800, 1200), "e": (450, 2000), "i": (300, 2400), "o": (500, 900), "u": (320, 750)}  # Hz of two formants
NOISES = {"s": (4500, 7500), "f": (1500, 6500), "k": (1200, 2600)}  # Hz, from and to
WORDS = ("sa", "si", "fo", "fu", "ke", "ka", "asi", "ofu", "eki", "usa")


def words(train: int, test: int, classes: int = len(WORDS), seed: int = 0) -> Iterator[tuple[dict, np.ndarray]]:
    """(row, waveform) of `train` and then `test` clips; the first `classes` words take turns."""
    for number in range(train + test):
        label, split = number % classes, "train" if number < train else "test"
        name = f"{WORDS[label]}-{number:05d}"
        yield {"clip": name, "labels": [label], "split": split, "recording": name}, word(WORDS[label], seed, number)


def word(letters: str, seed: int, number: int) -> np.ndarray:
    """One utterance: its pitch, tempo, vowel colour, place and noise are its own."""
    rng, n = stream(seed, NAME, number), samples(0.6)
    pitch, colour, tempo = rng.uniform(90, 240), rng.uniform(0.9, 1.12), rng.uniform(0.8, 1.2)
    total, start = np.zeros(n), samples(rng.uniform(0.02, 0.12))
    for letter in letters:
        m = samples(tempo * (0.16 if letter in VOWELS else 0.08))
        if letter in VOWELS:
            partials = np.arange(1, 60) * pitch
            gains = sum(np.exp(-(((partials - colour * f) / 180) ** 2)) for f in VOWELS[letter]) + 0.01
            piece = harmonics(pitch * (1 + 0.1 * np.linspace(1, -1, m)), gains) * window(m, 0.2)
        else:
            piece = 0.5 * band_noise(rng, m, *NOISES[letter]) * window(m, 0.3)
        add_at(total, piece, start)
        start += m
    return finish(0.1 * total + 0.1 * 10 ** (-rng.uniform(10, 25) / 20) * rng.standard_normal(n))


def long_clips(count: int, seconds: float = 10.0) -> np.ndarray:
    """(count, samples) float32 of noise that swells: the time of a front end does not depend on what it hears."""
    rng, n = stream(0, "long"), samples(seconds)
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.3, 3, (count, 1)) * np.arange(n) / 16000)
    return (0.1 * swell * rng.standard_normal((count, n))).astype(np.float32)


def cells(folder: Path, train: int, test: int, classes: int = len(WORDS)) -> dict[str, Path]:
    """Folders of an audio cell of made words and of its features, as the workflow's steps take them."""
    audio = folder / "audio"
    write_store(audio, words(train, test, classes))
    user = UserFolder(folder="made", csv="made", task="keyword", classes=WORDS[:classes], frames=FRAMES)
    record(audio, AudioSettings(dataset=NAME, user=user))
    return {"audio": audio, "features": features_of(audio, folder / "features", NAME, FRAMES)}


def features_of(audio: Path, out: Path, dataset: str, frames: int) -> Path:
    """The features of an audio cell, by the workflow's own step."""
    out.mkdir(parents=True, exist_ok=True)
    settings = FeaturesSettings(dataset=dataset, frames=frames)
    record(out, settings, features(Job("features", dataset, "check", settings, {"audio": audio}, out, out)))
    return out


def record(folder: Path, settings, results: dict | None = None) -> None:
    """What later steps read of a cell."""
    records.write_json(
        folder / records.RECORD, {"settings": settings.model_dump(mode="json"), "results": results or {}}
    )
