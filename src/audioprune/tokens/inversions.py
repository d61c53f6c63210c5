"""Inversions of many sequences at once: pairs i < j with x_i > x_j, in O(m log m) for each of n rows.

From the highest bit down: rows are kept sorted by the bits seen so far, equal ones in their first order. Two values
that differ in a bit for the first time are an inversion when the one with the bit comes first.
"""

from __future__ import annotations

import numpy as np


def inversions(x: np.ndarray) -> np.ndarray:
    """x (n, m) non-negative integers -> (n,) int64."""
    if x.size == 0:
        return np.zeros(len(x), dtype=np.int64)
    if x.min() < 0:
        raise ValueError("inversions are counted of non-negative integers")
    top = int(x.max())
    x = x.astype(np.int16 if top < 2**15 else np.int64)  # short integers are sorted by their digits
    found = np.zeros(len(x), dtype=np.int64)
    for bit in reversed(range(top.bit_length())):
        ones = (x >> bit) & 1  # (n, m)
        before = np.cumsum(ones, axis=1, dtype=np.int32) - ones  # ones further left in the row
        outside = np.maximum.accumulate(np.where(starts(x >> (bit + 1)), before, 0), axis=1)  # left of the own group
        found += np.where(ones == 0, before - outside, 0).sum(axis=1, dtype=np.int64)
        x = np.take_along_axis(x, np.argsort(x >> bit, axis=1, kind="stable"), axis=1)
    return found


def starts(sorted_rows: np.ndarray) -> np.ndarray:
    """Where a run of equal values begins in each row: (n, m) -> (n, m) bool."""
    new = np.ones(sorted_rows.shape, dtype=bool)
    new[:, 1:] = sorted_rows[:, 1:] != sorted_rows[:, :-1]
    return new


def tied_pairs(begins: np.ndarray) -> np.ndarray:
    """Pairs within the same run, by row: begins (n, m) bool as `starts` gives them -> (n,) int64."""
    at = np.arange(begins.shape[1])
    return (at - np.maximum.accumulate(np.where(begins, at, 0), axis=1)).sum(axis=1, dtype=np.int64)


def dense_ranks(x: np.ndarray) -> np.ndarray:
    """Ranks 0, 1, ... of the values of each row, the same for equal values: (n, m) -> (n, m) int32."""
    order = np.argsort(x, axis=1, kind="stable")
    ranked = np.cumsum(starts(np.take_along_axis(x, order, axis=1)), axis=1, dtype=np.int32) - 1
    found = np.empty(x.shape, dtype=np.int32)
    np.put_along_axis(found, order, ranked, axis=1)
    return found
