"""How many tokens of a kind each pruning stage keeps: ratios A and B, and the low-intensity share (P0 Table 2, 5).

n clips, P patches of the input (N), m tokens entering a stage (K of the stage before), K tokens it keeps.

    ratio A   signal tokens kept / tokens entering this stage. # DIFFERS: P0 prints |R^{i-1}| + |P^{i-1}|, the tokens
              entering the stage before; its Table 2 fits only |R^{i-1}|, what this stage is given (B13).
    ratio B   signal tokens kept / signal tokens of the input; NaN, to be skipped, for a clip that has none
"""

from __future__ import annotations

import numpy as np

from audioprune.tokens.held import count


def retention(signal: np.ndarray, entering: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Counts and ratios of one stage by clip, (n,) each.

    signal (n, P) bool; entering (n, m) and kept (n, K): patch numbers of the tokens before and after the stage.
    `kept_fraction` is K / N, the ratio B that a selection blind to the labels is expected to have, and `excess` what
    ratio B is above it (paper.md 6.1).
    """
    marked, into, out = signal.sum(axis=1), (entering >= 0).sum(axis=1), (kept >= 0).sum(axis=1)
    stays = count(signal, kept)
    fraction = out / signal.shape[1]
    ratio_b = divide(stays, marked)
    return {
        "entering": into,
        "kept": out,
        "signal_input": marked,
        "signal_entering": count(signal, entering),
        "signal_kept": stays,
        "ratio_a": divide(stays, into),
        "ratio_b": ratio_b,
        "kept_fraction": fraction,
        "excess": ratio_b - fraction,
    }


def low_intensity(levels: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Survivors in the clusters C1 and C2, by clip, as a share of the survivors and of the input's such tokens.

    levels (n, P) cluster of every patch, 0 is C1; kept (n, K) (paper.md 3.5).
    """
    low = levels <= 1
    stays, marked = count(low, kept), low.sum(axis=1)
    return {
        "low_input": marked,
        "low_kept": stays,
        "low_of_kept": divide(stays, (kept >= 0).sum(axis=1)),
        "low_of_input": divide(stays, marked),
    }


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, NaN where b is zero."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=np.asarray(b) != 0)
