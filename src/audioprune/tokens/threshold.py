"""The threshold tau between signal and background patches, and the signal's share of an evaluation set.

A patch is signal where the mean of its normalised pixels passes tau (P0 section 4.2; paper.md 2.2).
"""

from __future__ import annotations

import numpy as np

BINS = 10  # ASSUME: P0 names no number of bins; 10 is what numpy's and matplotlib's histograms take by default


def auto_tau(low: float, high: float) -> float:
    """Where the second of ten equal bins between the least and the largest pixel begins.

    # ASSUME: P0 reads tau off "the 2nd bin" of a histogram. With the released least and largest patch means (pixels are
    not known) this gives -0.63, -0.66, -1.22 and -1.03 for spc2, esc50, voxceleb1 and as20k, where P0 uses -0.65,
    -0.65, -1.25 and -1.0; the upper edge of the second of 20 bins is the same place.
    """
    if not low < high:
        raise ValueError(f"a histogram from {low} to {high} has no bins")
    return low + (high - low) / BINS


def signal(means: np.ndarray, tau: float) -> np.ndarray:
    """Which patches are signal: means (n, P) -> (n, P) bool."""
    return means > tau
