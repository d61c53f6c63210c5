"""Spearman's rank correlation of few points, with an exact permutation p-value. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import sqrt

MOST = 8  # points for which all 40 320 orders are tried


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; ties get their mean rank."""
    return [sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2 for value in values]


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Correlation of the ranks; ValueError where one side has no two different values."""
    a, b = ranks(x), ranks(y)
    mean = (len(a) + 1) / 2
    product = sum((i - mean) * (j - mean) for i, j in zip(a, b, strict=True))
    norm = sqrt(sum((i - mean) ** 2 for i in a) * sum((j - mean) ** 2 for j in b))
    if not norm:
        raise ValueError("a rank correlation needs two different values on both sides")
    return product / norm


def exact_p(x: Sequence[float], y: Sequence[float]) -> float:
    """Two-sided p: the share of all orders of y that correlate at least as strongly."""
    if len(x) > MOST:
        raise ValueError(f"{len(x)} points have too many orders to try them all; at most {MOST}")
    found = abs(spearman(x, y)) - 1e-12
    strong = [abs(spearman(x, order)) >= found for order in permutations(y)]
    return sum(strong) / len(strong)
