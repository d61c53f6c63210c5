"""Multi-label mixtures: one to three environmental sounds of different kinds at once, in noise; 2.56 s clips.

Every part is a recording of its own, made for this clip, so clips are independent. 8 of 11 clips are for training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from audioprune.generators import _kinds
from audioprune.generators._extents import extents_json
from audioprune.generators._options import resolve
from audioprune.generators._synthesis import finish, samples, stream
from audioprune.settings.data import GenerateSettings

KINDS = _kinds.EVALUATED
SECONDS = 2.56
DEFAULTS = {"most": 3, "snr_low": 15.0, "snr_high": 30.0, "quietest": -8.0}


def clips(settings: GenerateSettings, numbers: Iterable[int] | None = None) -> Iterator[tuple[dict, np.ndarray]]:
    """(row, waveform) of all clips, or of those with the given numbers."""
    options = resolve(settings, DEFAULTS)
    for number in range(settings.clips) if numbers is None else numbers:
        yield clip(settings.seed, number, options)


def clip(seed: int, number: int, options: dict) -> tuple[dict, np.ndarray]:
    rng, n = stream(seed, "mixtures", "clip", number), samples(SECONDS)
    labels = sorted(rng.permutation(len(KINDS))[: rng.integers(1, options["most"] + 1)].tolist())
    signal = np.zeros(n)
    for label in labels:
        sound = _kinds.render(KINDS[label], seed, f"mixtures/{KINDS[label]}-{number}", rng, n)
        signal += _kinds.place(sound, rng, n) * 10 ** (rng.uniform(options["quietest"], 0) / 20)
    noise = _kinds.background(rng, n) * 10 ** (-rng.uniform(options["snr_low"], options["snr_high"]) / 20)
    row = {
        "clip": f"mixture-{number:05d}",
        "labels": labels,
        "fold": 0,
        "split": "train" if number % 11 < 8 else "test",
        "recording": f"mixture-{number:05d}",
        "speaker": "",
        "transcript": "",
        "extents": extents_json(signal, noise),
    }
    return row, finish((signal + noise) * 10 ** (rng.uniform(*_kinds.LEVEL_DB) / 20))
