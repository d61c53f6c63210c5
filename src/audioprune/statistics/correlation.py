"""Spearman's rank correlation of few pairs, with a permutation p-value (scipy.stats.permutation_test)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from typing import Literal

import numpy as np
from scipy import stats

EXACT = 8  # pairs up to which every permutation is looked at: 40 320
DRAWS = 20_000


@dataclass(frozen=True)
class Correlation:
    estimate: float
    p: float
    pairs: int
    method: str
    note: str = ""


def spearman(
    x: Sequence[float],
    y: Sequence[float],
    *,
    alternative: Literal["two-sided", "less", "greater"] = "two-sided",
    seed: int = 0,
) -> Correlation:
    """Rank correlation of pairs, ties at their mean rank. p: exact up to EXACT pairs, else from DRAWS permutations.

    ValueError with fewer than three pairs, or where all x or all y are equal.
    """
    x, y = stats.rankdata(x), stats.rankdata(y)
    if len(x) != len(y) or len(x) < 3 or not np.ptp(x) or not np.ptp(y):
        raise ValueError("a rank correlation needs three pairs or more, and two values or more on either side")
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x**2).sum() * (y**2).sum())
    exact = len(x) <= EXACT
    tested = stats.permutation_test(
        (x,),
        lambda x, axis=-1: (x * y).sum(axis=axis) / scale,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=factorial(len(x)) if exact else DRAWS,
        alternative=alternative,
        rng=np.random.default_rng(seed),
    )
    method = "exact permutation" if exact else f"{DRAWS} permutations"
    least = (2 if alternative == "two-sided" else 1) / factorial(len(x))
    note = f"with {len(x)} pairs p is never below {least:.2g}" if exact and least > 0.01 else ""
    method = f"Spearman, {method}, {alternative}"
    return Correlation(float(tested.statistic), float(tested.pvalue), len(x), method, note)
