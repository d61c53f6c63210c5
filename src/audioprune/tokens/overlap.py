"""How much two selections of the same clips agree."""

from __future__ import annotations

import numpy as np

from audioprune.tokens.held import membership
from audioprune.tokens.retention import divide


def jaccard(a: np.ndarray, b: np.ndarray, patches: int) -> np.ndarray:
    """|a and b| / |a or b| of kept patch numbers (n, K) and (n, K') by clip -> (n,); NaN where both are empty.

    Both must number the patches alike: one backbone family, or numbers brought to one orientation.
    """
    one, other = membership(a, patches), membership(b, patches)
    return divide((one & other).sum(axis=1), (one | other).sum(axis=1))


def other_orientation(numbers: np.ndarray, orientation: str, time: int, freq: int) -> np.ndarray:
    """Patch numbers in the order of the other family: AudioMAE's for AST's, AST's for AudioMAE's; -1 stays."""
    slow, fast = (time, freq) if orientation == "time" else (freq, time)
    moved = np.arange(slow * fast).reshape(fast, slow).T.ravel()  # number (s, f) -> f * slow + s
    return np.where(numbers >= 0, moved[np.maximum(numbers, 0)], -1)
