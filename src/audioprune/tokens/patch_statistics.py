"""Intensity and variation of the patches of many clips, by token in the model's own order.

The mean and the unbiased (ddof 1) standard deviation of a patch's normalised pixels (paper.md 1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from audioprune.audio.patches import patch_mean, patch_std, to_tokens
from audioprune.facts.tokens import PATCH, Orientation

BATCH = 256  # clips held in memory at a time


class PatchStatistics(NamedTuple):
    mean: np.ndarray  # (n, P) float32
    std: np.ndarray  # (n, P) float32


def patch_statistics(
    rows: Sequence[int],
    fbank: Callable[[Sequence[int]], Tensor],
    *,
    orientation: Orientation,
    patch: int = PATCH,
    stride: int = PATCH,
) -> PatchStatistics:
    """Statistics of the clips `rows`; fbank(rows) gives normalised log-mel (B, T, 128), as `FeatureStore.fbank`."""
    if not len(rows):
        raise ValueError("no clips whose patches could be measured")
    means, stds = [], []
    for start in range(0, len(rows), BATCH):
        x = fbank(rows[start : start + BATCH])
        means.append(to_tokens(patch_mean(x, patch, stride), orientation).numpy())
        stds.append(to_tokens(patch_std(x, patch, stride), orientation).numpy())
    return PatchStatistics(np.concatenate(means), np.concatenate(stds))
