"""Values of patches as values of tokens, by the patch numbers in a trace.

n clips, P patches of the input, m tokens. A number of -1 is a prefix token (only `as_released` shows any): no patch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def held(values: np.ndarray, patch_ids: np.ndarray) -> np.ndarray:
    """Values (n, P) of the tokens with these patch numbers (n, m) -> (n, m); zero or False for a prefix token."""
    patch_ids = patch_ids.astype(np.int64)
    found = np.take_along_axis(values, np.maximum(patch_ids, 0), axis=1)
    return np.where(patch_ids >= 0, found, np.zeros((), values.dtype))


def count(mask: np.ndarray, patch_ids: np.ndarray) -> np.ndarray:
    """How many of the tokens (n, m) have a patch that is marked in `mask` (n, P) -> (n,) int64."""
    return held(mask, patch_ids).sum(axis=1, dtype=np.int64)


def membership(patch_ids: np.ndarray, patches: int) -> np.ndarray:
    """Which patches are among the tokens: patch_ids (n, m) -> (n, P) bool."""
    clip, token = np.nonzero(patch_ids >= 0)
    mask = np.zeros((len(patch_ids), patches), dtype=bool)
    mask[clip, patch_ids[clip, token]] = True
    return mask


def rectangles(patch_ids: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(clips (c,), columns (c, k)) such that patch_ids[clips][columns] are all patches: prefix tokens are left out.

    One rectangle for each count of patches that a clip can have; usually there is only one.
    """
    present = patch_ids >= 0
    counts = present.sum(axis=1)
    for k in np.unique(counts):
        clips = np.flatnonzero(counts == k)
        yield clips, np.nonzero(present[clips])[1].reshape(len(clips), k)
