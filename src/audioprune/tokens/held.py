"""Values of patches as values of tokens, by the patch numbers in a trace.

n clips, P patches of the input, m tokens. A number of -1 is an extra token (only `as_released` shows any): no patch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def held(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Values (n, P) of the tokens with these patch numbers (n, m) -> (n, m); zero or False for an extra token."""
    numbers = numbers.astype(np.int64)
    found = np.take_along_axis(values, np.maximum(numbers, 0), axis=1)
    return np.where(numbers >= 0, found, np.zeros((), values.dtype))


def count(mask: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """How many of the tokens (n, m) have a patch that is marked in `mask` (n, P) -> (n,) int64."""
    return held(mask, numbers).sum(axis=1, dtype=np.int64)


def membership(numbers: np.ndarray, patches: int) -> np.ndarray:
    """Which patches are among the tokens: numbers (n, m) -> (n, P) bool."""
    clip, token = np.nonzero(numbers >= 0)
    mask = np.zeros((len(numbers), patches), dtype=bool)
    mask[clip, numbers[clip, token]] = True
    return mask


def rectangles(numbers: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(clips (c,), columns (c, k)) such that numbers[clips][columns] are all patches: extra tokens are left out.

    One rectangle for each count of patches that a clip can have; usually there is only one.
    """
    present = numbers >= 0
    counts = present.sum(axis=1)
    for k in np.unique(counts):
        clips = np.flatnonzero(counts == k)
        yield clips, np.nonzero(present[clips])[1].reshape(len(clips), k)
