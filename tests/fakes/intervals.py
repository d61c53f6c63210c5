"""The interval of few changed clips, written a second time: recordings are added to a population, with weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

ADDED = 1.5  # each way


def ends(
    value: float, draws: np.ndarray, factors: Sequence[float], recordings: float, probabilities: Sequence[float]
) -> tuple[float, ...]:
    """Of a sum of factor x metric: recordings about the value, with the variance of the draws, and two points.

    draws (D,); recordings: so many as vary like those of the test set.
    """
    f = np.asarray(factors, dtype=float)
    top, bottom = f[f > 0].sum(), f[f < 0].sum()
    far = min((top - bottom) / 2, np.linalg.norm(f) / 2**0.5)
    spread = np.sqrt(recordings * np.nanvar(draws))
    points = np.array([value - spread, value + spread, (top + bottom) / 2 - far, (top + bottom) / 2 + far])
    weights = np.array([recordings / 2, recordings / 2, ADDED, ADDED])
    middle = np.average(points, weights=weights)
    error = np.sqrt(np.average((points - middle) ** 2, weights=weights) / weights.sum())
    return tuple(np.clip(norm.ppf(probabilities, middle, error), bottom, top))


def effective(recordings: Sequence[str], parts: str = "") -> float:
    """Recordings of one size that vary as these, named for each clip, do: clips over the mean size as clips see it."""
    own = [set(name.split(parts)) if parts else {name} for name in recordings]
    sizes: dict[str, int] = {}
    for names in own:
        for name in names:
            sizes[name] = sizes.get(name, 0) + 1
    return len(own) / np.mean([sizes[name] for names in own for name in names])
