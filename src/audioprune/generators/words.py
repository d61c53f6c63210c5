"""Spoken words: ten of them in twenty voices, slowly, with noise and over different channels; 1 s clips.

Every clip is an utterance of its own: voice and word are given by its number; speed, pitch, liveliness, position,
channel, noise and level are drawn. One utterance in five of a word by a voice is for testing: training hears the same
voices say the same words at other times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from audioprune.generators import _kinds
from audioprune.generators._extents import extents_json
from audioprune.generators._options import resolve
from audioprune.generators._speech import Utterance, say
from audioprune.generators._synthesis import active_rms, add_at, equalise, finish, samples, stream
from audioprune.generators._voices import VOICES
from audioprune.settings.data import GenerateSettings

WORDS = ("cheese", "happy", "house", "marvin", "noise", "seven", "sheila", "three", "wow", "yes")
SECONDS = 1.0
ONE_IN = 5  # utterances of a word by a voice, for testing
DEFAULTS = {"snr_low": 18.0, "snr_high": 35.0, "shift": 0.05}


def clips(settings: GenerateSettings, numbers: Iterable[int] | None = None) -> Iterator[tuple[dict, np.ndarray]]:
    """(row, waveform) of all clips, or of those with the given numbers."""
    options = resolve(settings, DEFAULTS)
    for number in range(settings.clips) if numbers is None else numbers:
        yield clip(settings.seed, number, options)


def utterance(seed: int, number: int) -> tuple[Utterance, int, int, int]:
    """What clip `number` says, with its voice, word and take."""
    voice, turn = number % len(VOICES), number // len(VOICES)
    word, take = turn % len(WORDS), turn // len(WORDS)
    habit, rng = VOICES[voice], stream(seed, "words", "utterance", number)
    rate = int(habit.rate * rng.uniform(0.6, 0.78))
    pitch = int(np.clip(habit.pitch + rng.integers(-8, 9), 0, 99))
    liveliness = 20 + 5 * (take % 16) + int(rng.integers(5))  # never the same in 16 takes: no utterance comes twice
    return Utterance(WORDS[word], habit.file, rate, pitch, liveliness), voice, word, take


def clip(seed: int, number: int, options: dict) -> tuple[dict, np.ndarray]:
    said, voice, word, take = utterance(seed, number)
    rng, n = stream(seed, "words", "clip", number), samples(SECONDS)
    speech = equalise(rng, say(said), 0.7)[: samples(0.95)]
    signal, middle = np.zeros(n), n // 2 + samples(options["shift"] * rng.uniform(-1, 1))
    add_at(signal, speech / active_rms(speech), int(np.clip(middle - len(speech) // 2, 0, n - len(speech))))
    noise = _kinds.background(rng, n)
    noise = noise / np.sqrt(np.mean(noise**2)) * 10 ** (-rng.uniform(options["snr_low"], options["snr_high"]) / 20)
    row = {
        "clip": f"word-{number:05d}",
        "labels": [word],
        "fold": 0,
        "split": "test" if (word + take) % ONE_IN == ONE_IN - 1 else "train",
        "recording": f"{WORDS[word]}-{VOICES[voice].id}-{take:02d}",
        "speaker": VOICES[voice].id,
        "transcript": WORDS[word],
        "extents": extents_json(signal, noise),
    }
    return row, finish((signal + noise) * 10 ** (rng.uniform(*_kinds.LEVEL_DB) / 20))
