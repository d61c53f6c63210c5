"""Where tokens lie by intensity and variation: a histogram of patch mean x patch std (paper.md 3.4)."""

from __future__ import annotations

import numpy as np

BINS = 20
UPPER = 0.75  # the std axis ends at this share of the way from its least to its largest value


def bin_edges(mean_range: tuple[float, float], std_range: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Edges of mean (21,) over all its range and of std (21,) from 0 to min + 0.75 (max - min)."""
    low, high = std_range
    return np.linspace(*mean_range, BINS + 1), np.linspace(0.0, low + UPPER * (high - low), BINS + 1)


def occurrence(
    mean: np.ndarray, std: np.ndarray, edges: tuple[np.ndarray, np.ndarray], mask: np.ndarray | None = None
) -> np.ndarray:
    """Number of tokens in each bin: mean, std (n, P), of those in `mask` (n, P) if given -> (20, 20) int64, mean x std.

    Tokens beyond the last edge of std are left out, as released.
    """
    chosen = np.ones(mean.shape, dtype=bool) if mask is None else mask
    counts, _, _ = np.histogram2d(mean[chosen], std[chosen], bins=edges)
    return counts.astype(np.int64)


def log_density(counts: np.ndarray, edges: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """log(1 + density), what the released figure shows; zero where nothing was counted."""
    area = np.outer(np.diff(edges[0]), np.diff(edges[1]))
    return np.log1p(counts / max(counts.sum(), 1) / area)
