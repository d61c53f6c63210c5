"""What a selection blind to the labels would keep: the reference of every ratio A and B (paper.md 6.1).

N patches of a clip, S of them signal, K kept at a stage and K' entering it. Kept signal tokens are hypergeometric, also
after several blind stages: E[ratio B] = K / N, E[ratio A] = S / N x K / K'.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np


def blind_interval(signal: np.ndarray, kept: int, patches: int, level: float = 0.95) -> tuple[float, float]:
    """Within which the mean over clips of B - K / N lies with probability `level` if the selection is blind.

    signal (n,): signal patches of each clip; clips without any are skipped, as in ratio B. A clip's B has the
    hypergeometric variance K (N - K) (N - S) / (S N^2 (N - 1)); the mean of many clips is taken as normal.
    """
    signal = np.asarray(signal, dtype=np.float64)
    signal = signal[signal > 0]
    if not len(signal) or patches < 2:
        return float("nan"), float("nan")
    variance = kept * (patches - kept) * (patches - signal) / (signal * patches**2 * (patches - 1))
    half = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(variance.sum()) / len(signal)
    return -float(half), float(half)
