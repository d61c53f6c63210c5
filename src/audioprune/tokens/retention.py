"""How many tokens of a kind each pruning stage keeps: ratios A and B, kinds, and low intensity (P0 Tables 2 and 5).

n clips, P patches of the input (N), m tokens entering a stage (K of the stage before), K tokens it keeps.

    ratio A   signal tokens kept / tokens entering this stage. # DIFFERS: P0 prints |R^{i-1}| + |P^{i-1}|, the tokens
              entering the stage before; its Table 2 fits only |R^{i-1}|, what this stage is given (B13).
    ratio B   signal tokens kept / signal tokens of the input; NaN, to be skipped, for a clip that has none
"""

from __future__ import annotations

import numpy as np

from audioprune.tokens.held import count
from audioprune.tokens.kinds import KINDS


def retention(signal: np.ndarray, entering: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Counts and ratios of one stage by clip, (n,) each.

    signal (n, P) bool; entering (n, m) and kept (n, K): patch numbers of the tokens before and after the stage.
    A selection blind to the labels is expected to have S / N x K / m as ratio A (`blind_a`) and K / N as ratio B
    (`kept_fraction`); `excess_a` and `excess` are what the ratios are above it (paper.md 6.1).
    """
    marked, into, out = signal.sum(axis=1), (entering >= 0).sum(axis=1), (kept >= 0).sum(axis=1)
    stays = count(signal, kept)
    fraction = out / signal.shape[1]
    ratio_a, ratio_b = divide(stays, into), divide(stays, marked)
    blind_a = marked / signal.shape[1] * divide(out, into)
    return {
        "entering": into,
        "kept": out,
        "signal_input": marked,
        "signal_entering": count(signal, entering),
        "signal_kept": stays,
        "ratio_a": ratio_a,
        "blind_a": blind_a,
        "excess_a": ratio_a - blind_a,
        "ratio_b": ratio_b,
        "kept_fraction": fraction,
        "excess": ratio_b - fraction,
    }


def composition(signal: np.ndarray, padding: np.ndarray, cut: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Kept tokens of each kind by clip, and their shares of all that are kept; beside them, of signal and background,
    those that the clip's end cuts through. signal, padding, cut (n, P), kept (n, K)."""
    kinds = dict(zip((*KINDS, "cut"), (signal, ~signal & ~padding, padding, cut), strict=True))
    found: dict[str, np.ndarray] = {"padding_input": padding.sum(axis=1)}
    for name, mask in kinds.items():
        found[f"{name}_kept"] = count(mask, kept)
        found[f"{name}_of_kept"] = divide(found[f"{name}_kept"], (kept >= 0).sum(axis=1))
    return found


def low_intensity(levels: np.ndarray, padding: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """Survivors in the clusters C1 and C2, by clip, as a share of the survivors and of the input's such tokens.

    levels (n, P) cluster of every patch, 0 is C1; padding (n, P); kept (n, K) (paper.md 3.5). The released measure
    counts padding, which is of low intensity; `low_inside` leaves it out: what is left of the clip itself.
    """
    found: dict[str, np.ndarray] = {}
    for name, low in (("low", levels <= 1), ("low_inside", (levels <= 1) & ~padding)):
        stays, marked = count(low, kept), low.sum(axis=1)
        found[f"{name}_input"], found[f"{name}_kept"] = marked, stays
        found[f"{name}_of_kept"] = divide(stays, (kept >= 0).sum(axis=1))
        found[f"{name}_of_input"] = divide(stays, marked)
    return found


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, NaN where b is zero."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=np.asarray(b) != 0)
