"""The pixels of an evaluation set: their range, their histogram, and how many are above a threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch import Tensor

BATCH = 128  # clips held in memory at a time

Fbank = Callable[[Sequence[int]], Tensor]  # rows -> normalised log-mel (B, T, 128)


def pixel_range(rows: Sequence[int], fbank: Fbank) -> tuple[float, float]:
    """Least and largest pixel of the clips."""
    found = [(float(x.min()), float(x.max())) for x in _batches(rows, fbank)]
    return min(low for low, _ in found), max(high for _, high in found)


def pixel_histogram(rows: Sequence[int], fbank: Fbank, edges: np.ndarray) -> np.ndarray:
    """Number of pixels in each bin, the last one closed: edges (bins + 1,) -> (bins,) int64."""
    return np.sum([np.histogram(x, edges)[0] for x in _batches(rows, fbank)], axis=0)


def pixels_above(rows: Sequence[int], fbank: Fbank, taus: Sequence[float]) -> np.ndarray:
    """Share of each clip's pixels that is above each threshold: (n, len(taus)) float64."""
    found = [[(x > tau).mean(axis=(1, 2)) for tau in taus] for x in _batches(rows, fbank)]
    return np.concatenate([np.stack(batch, axis=1) for batch in found])


def _batches(rows: Sequence[int], fbank: Fbank) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), BATCH):
        yield fbank(rows[start : start + BATCH]).numpy()
