"""Holm's step-down adjustment (Holm 1979) of the p-values of one exhibit. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """(k,) adjusted p-values, in the order given: those at most alpha keep the chance of any false one below alpha.

    ValueError where a p-value is not from 0 to 1.
    """
    values = [float(one) for one in p]
    if not all(0 <= one <= 1 for one in values):
        raise ValueError(f"p-values must lie from 0 to 1: {values}")
    adjusted, least = [0.0] * len(values), 0.0
    for rank, i in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        least = max(least, min(1.0, values[i] * (len(values) - rank)))
        adjusted[i] = least
    return adjusted


def family(p: Sequence[float | None]) -> list[float | None]:
    """`holm` of the p-values that are there. What cannot be tested (None) enters no family and stays None."""
    adjusted = iter(holm([one for one in p if one is not None]))
    return [None if one is None else next(adjusted) for one in p]
