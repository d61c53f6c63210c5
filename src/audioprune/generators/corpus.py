"""The pre-training corpus: sounds and spoken words mixed, multi-label, 5.12 s clips; the stand-in for AudioSet-2M.

Nothing of an evaluation dataset enters: other words, other voices, other random streams. Speech comes from a pool of
utterances that each process speaks once. Extents are not kept, nothing is evaluated on these clips.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from audioprune.generators import _kinds
from audioprune.generators._options import resolve
from audioprune.generators._speech import Utterance, Voice, say
from audioprune.generators._synthesis import active_rms, equalise, finish, samples, stream
from audioprune.settings.data import GenerateSettings

KINDS = tuple(sorted(_kinds.EVALUATED + _kinds.CORPUS_ONLY))
WORDS = ("backward", "eight", "five", "follow", "learn", "monday", "visual", "zero")
CLASSES = KINDS + tuple(f"word-{word}" for word in WORDS)
VOICES = (
    Voice("andy", "gmw/en-US+Andy", 45, 165),
    Voice("benjamin", "gmw/en-GB-x-rp+benjamin", 45, 170),
    Voice("diogo", "gmw/en-US+Diogo", 50, 165),
    Voice("freda", "gmw/en+f1", 50, 175),
    Voice("grandma", "gmw/en-GB-scotland+grandma", 50, 170),
    Voice("hugo", "gmw/en-029+Hugo", 45, 165),
    Voice("john", "gmw/en-US+john", 45, 160),
    Voice("max", "gmw/en-US-nyc+max", 50, 170),
    Voice("pablo", "gmw/en-US+pablo", 50, 175),
    Voice("travis", "gmw/en-GB-x-gbclan+travis", 50, 165),
)
TAKES = 2  # utterances of each word by each voice
SECONDS, PART_SECONDS = 5.12, 2.56
DEFAULTS = {"most": 4, "snr_low": 15.0, "snr_high": 30.0, "quietest": -6.0}


def clips(settings: GenerateSettings, numbers: Iterable[int] | None = None) -> Iterator[tuple[dict, np.ndarray]]:
    """(row, waveform) of all clips, or of those with the given numbers."""
    options = resolve(settings, DEFAULTS)
    for number in range(settings.clips) if numbers is None else numbers:
        yield clip(settings.seed, number, options)


def clip(seed: int, number: int, options: dict) -> tuple[dict, np.ndarray]:
    rng, n = stream(seed, "corpus", "clip", number), samples(SECONDS)
    labels = sorted(rng.permutation(len(CLASSES))[: rng.integers(1, options["most"] + 1)].tolist())
    signal = np.zeros(n)
    for label in labels:
        if label < len(KINDS):
            part = _kinds.render(KINDS[label], seed, f"corpus/{KINDS[label]}-{number}", rng, samples(PART_SECONDS))
        else:
            said = pool(seed, label - len(KINDS), int(rng.integers(len(VOICES))), int(rng.integers(TAKES)))
            part = equalise(rng, spoken(said), 1.5)
        signal += _kinds.place(part, rng, n) * 10 ** (rng.uniform(options["quietest"], 0) / 20)
    noise = _kinds.background(rng, n) * 10 ** (-rng.uniform(options["snr_low"], options["snr_high"]) / 20)
    row = {
        "clip": f"corpus-{number:06d}",
        "labels": labels,
        "fold": 0,
        "split": "train",
        "recording": f"corpus-{number:06d}",
        "speaker": "",
        "transcript": "",
        "extents": "[]",
    }
    return row, finish((signal + noise) * 10 ** (rng.uniform(*_kinds.LEVEL_DB) / 20))


def pool(seed: int, word: int, voice: int, take: int) -> Utterance:
    """Utterance `take` of a word by a voice."""
    habit, rng = VOICES[voice], stream(seed, "corpus", "utterance", word, voice, take)
    pitch = int(habit.pitch + rng.integers(-10, 11))
    return Utterance(WORDS[word], habit.file, int(habit.rate * rng.uniform(0.85, 1.18)), pitch)


@cache
def spoken(utterance: Utterance) -> np.ndarray:
    """The utterance with an active RMS of 1; spoken once in a process."""
    speech = say(utterance)
    return speech / active_rms(speech)
