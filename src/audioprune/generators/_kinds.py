"""The kinds of environmental sound by name, and how one becomes part of a clip."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from audioprune.generators import _events, _textures
from audioprune.generators._synthesis import active_rms, add_at, coloured_noise, harmonics, stream

EVALUATED = (
    "alarm",
    "bell",
    "bird",
    "clock",
    "crickets",
    "dog",
    "engine",
    "footsteps",
    "helicopter",
    "rain",
    "siren",
    "wind",
)
LEVEL_DB = (-28.0, -20.0)  # range of a clip's level: active RMS of its signal against full scale
CORPUS_ONLY = ("drip", "knock", "waves", "whistle")


def render(kind: str, seed: int, recording: str, take: Generator, n: int) -> np.ndarray:
    """One sound of a kind (m,), m <= n, with an active RMS of 1; `recording` names the source that it comes from."""
    make = getattr(_events, kind, None) or getattr(_textures, kind)
    sound = make(stream(seed, "recording", recording), take, n)
    return sound / active_rms(sound)


def place(sound: np.ndarray, take: Generator, n: int) -> np.ndarray:
    """The sound at a random position in n samples of silence (n,)."""
    total = np.zeros(n)
    add_at(total, sound, int(take.integers(0, n - len(sound) + 1)))
    return total


def background(take: Generator, n: int) -> np.ndarray:
    """Steady noise of a random colour, at times with mains hum; RMS about 1 (n,)."""
    noise = coloured_noise(take, n, take.uniform(0.8, 1.3))
    if take.uniform() < 0.2:
        hum = np.full(n, float(take.choice([50, 60])))
        noise = noise + take.uniform(0.1, 0.4) * harmonics(hum, take.uniform(0, 1, 8))
    return noise
