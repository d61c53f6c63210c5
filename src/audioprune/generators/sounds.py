"""Environmental sounds: twelve kinds, synthesised, each clip with one of them in noise; 2.56 s clips, four folds.

Two clips in a row of one kind come from one recording, a set of parameters; the recordings of a kind take turns
between the folds, so that no recording is in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from audioprune.generators import _kinds
from audioprune.generators._extents import extents_json
from audioprune.generators._options import resolve
from audioprune.generators._synthesis import equalise, finish, samples, stream
from audioprune.settings.data import GenerateSettings

KINDS = _kinds.EVALUATED
SECONDS = 2.56
FOLDS = 4
DEFAULTS = {"per_recording": 2, "snr_low": 10.0, "snr_high": 30.0}


def clips(settings: GenerateSettings, numbers: Iterable[int] | None = None) -> Iterator[tuple[dict, np.ndarray]]:
    """(row, waveform) of all clips, or of those with the given numbers."""
    options = resolve(settings, DEFAULTS)
    for number in range(settings.clips) if numbers is None else numbers:
        yield clip(settings.seed, number, options)


def clip(seed: int, number: int, options: dict) -> tuple[dict, np.ndarray]:
    label, turn = number % len(KINDS), number // len(KINDS)
    source = turn // options["per_recording"]
    recording = f"{KINDS[label]}-{source:03d}"
    rng, n = stream(seed, "sounds", "clip", number), samples(SECONDS)
    sound = _kinds.render(KINDS[label], seed, f"sounds/{recording}", rng, n)
    signal = equalise(rng, _kinds.place(sound, rng, n), 2.0)
    noise = _kinds.background(rng, n) * 10 ** (-rng.uniform(options["snr_low"], options["snr_high"]) / 20)
    row = {
        "clip": f"sound-{number:05d}",
        "labels": [label],
        "fold": source % FOLDS + 1,
        "split": "",
        "recording": recording,
        "speaker": "",
        "transcript": "",
        "extents": extents_json(signal, noise),
    }
    return row, finish((signal + noise) * 10 ** (rng.uniform(*_kinds.LEVEL_DB) / 20))
