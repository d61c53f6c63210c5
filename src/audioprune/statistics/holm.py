"""Holm's step-down adjustment (Holm 1979) of the p-values of one exhibit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float]) -> np.ndarray:
    """(k,) adjusted p-values, in the order given: those at most alpha keep the chance of any false one below alpha.

    ValueError where a p-value is not from 0 to 1.
    """
    values = np.asarray(p, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values must lie from 0 to 1: {values.tolist()}")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return adjusted


def family(p: Sequence[float | None]) -> list[float | None]:
    """`holm` of the p-values that are there. What cannot be tested (None) enters no family and stays None."""
    adjusted = iter(holm([one for one in p if one is not None]).tolist())
    return [None if one is None else next(adjusted) for one in p]
