"""Least-squares slopes as sums: slope of y on x = sum of factor x y, so that a slope of metrics is a contrast.

The factors depend on x alone. With them a slope is taken draw by draw, clip by clip, or from printed numbers alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def slope_factors(x: Sequence[float]) -> np.ndarray:
    """(n,): what each y is multiplied with, (x - mean) / sum of (x - mean)^2; they add up to 0.

    ValueError where x has no two different values.
    """
    if len(set(x)) < 2:
        raise ValueError(f"a slope needs two different values of x or more, not {list(x)}")
    centred = np.asarray(x, dtype=float) - np.mean(x)
    return centred / (centred**2).sum()
