"""How much two selections agree by chance."""

from __future__ import annotations

import numpy as np
from scipy.stats import hypergeom


def expected_jaccard(n: int, kept: int) -> float:
    """Mean of |A and B| / |A or B| of two independent choices of `kept` of n things.

    They share i with the hypergeometric probability C(K, i) C(n - K, K - i) / C(n, K), which is i / (2 K - i) of them.
    """
    if not 0 < kept <= n:
        raise ValueError(f"{kept} of {n} cannot be kept")
    shared = np.arange(max(0, 2 * kept - n), kept + 1)
    return float(hypergeom.pmf(shared, n, kept, kept) @ (shared / (2 * kept - shared)))


def beyond_chance(jaccard: float, n: int, kept: int) -> float:
    """(J - J_0) / (1 - J_0): 1 for equal selections, 0 on average for independent ones; NaN where all are kept."""
    by_chance = expected_jaccard(n, kept)
    return float("nan") if by_chance == 1 else (jaccard - by_chance) / (1 - by_chance)
