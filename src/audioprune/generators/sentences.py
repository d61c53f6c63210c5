"""Spoken sentences with transcripts, from a small grammar; clips as long as the sentence, at most 5.12 s.

The voices are those of the spoken words. Every fourth sentence is for testing; no sentence occurs twice as long as the
grammar lasts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from audioprune.errors import UserError
from audioprune.generators import _kinds
from audioprune.generators._extents import extents_json
from audioprune.generators._options import resolve
from audioprune.generators._speech import Utterance, say
from audioprune.generators._synthesis import active_rms, add_at, finish, samples, stream
from audioprune.generators._voices import VOICES
from audioprune.settings.data import GenerateSettings

GRAMMAR = (
    ("anna", "peter", "maria", "david", "helen", "oscar"),
    ("sees", "buys", "finds", "sells", "paints", "wants"),
    ("two", "four", "six", "nine", "ten", "many"),
    ("green", "old", "heavy", "small", "cheap", "broken"),
    ("boats", "tables", "rings", "letters", "cars", "lamps"),
)
SENTENCES = math.prod(map(len, GRAMMAR))
SECONDS = 5.12
DEFAULTS = {"snr_low": 15.0, "snr_high": 35.0}


def clips(settings: GenerateSettings, numbers: Iterable[int] | None = None) -> Iterator[tuple[dict, np.ndarray]]:
    """(row, waveform) of all clips, or of those with the given numbers."""
    options = resolve(settings, DEFAULTS)
    if settings.clips > SENTENCES:
        raise UserError(f"the grammar has {SENTENCES} sentences, {settings.clips} clips were asked for; ask for fewer")
    order = stream(settings.seed, "sentences", "order").permutation(SENTENCES)
    for number in range(settings.clips) if numbers is None else numbers:
        yield clip(settings.seed, number, sentence(int(order[number])), options)


def sentence(index: int) -> str:
    """Sentence `index` of the grammar, a number written with one digit for each place."""
    words = []
    for place in reversed(GRAMMAR):
        index, choice = divmod(index, len(place))
        words.append(place[choice])
    return " ".join(reversed(words))


def clip(seed: int, number: int, text: str, options: dict) -> tuple[dict, np.ndarray]:
    rng, voice = stream(seed, "sentences", "clip", number), VOICES[number % len(VOICES)]
    pitch = int(np.clip(voice.pitch + rng.integers(-8, 9), 0, 99))
    speech = say(Utterance(text, voice.file, int(voice.rate * rng.uniform(0.9, 1.15)), pitch))
    before, after = samples(rng.uniform(0.1, 0.3)), samples(rng.uniform(0.1, 0.3))
    signal = np.zeros(min(len(speech) + before + after, samples(SECONDS)))
    add_at(signal, speech / active_rms(speech), before)
    noise = _kinds.background(rng, len(signal))
    noise *= 10 ** (-rng.uniform(options["snr_low"], options["snr_high"]) / 20)
    row = {
        "clip": f"sentence-{number:05d}",
        "labels": [],
        "fold": 0,
        "split": "test" if number % 4 == 3 else "train",
        "recording": f"sentence-{number:05d}",
        "speaker": voice.id,
        "transcript": text,
        "extents": extents_json(signal, noise),
    }
    return row, finish((signal + noise) * 10 ** (rng.uniform(*_kinds.LEVEL_DB) / 20))
