"""Exact, fast k-means of numbers on a line: distances come from the sorted values and their running sums.

n values, k clusters. A cluster is a run of the sorted values, so a step of Lloyd's algorithm costs k log n.
# DIFFERS: sklearn's KMeans stops when the centres move less than 1e-4 of the variance; this goes on until no value
changes its cluster. Both start from one greedy k-means++ draw with 2 + log k trials, from other random streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audioprune.errors import UserError

STEPS = 100_000  # of Lloyd's algorithm; tens to hundreds are needed


class Line:
    """Sorted values with running sums of them and of their squares, moved so that their mean is zero."""

    def __init__(self, values: np.ndarray):
        x = np.sort(np.asarray(values, dtype=np.float64), axis=None)
        if not len(x) or not np.isfinite(x[[0, -1]]).all():
            raise ValueError("k-means needs finite values")
        self.origin = float(x.mean())
        self.x = x - self.origin  # (n,)
        self.first = np.concatenate(([0.0], np.cumsum(self.x)))  # (n + 1,)
        self.second = np.concatenate(([0.0], np.cumsum(self.x**2)))  # (n + 1,)

    def cuts(self, centres: np.ndarray) -> np.ndarray:
        """Where runs of the nearest centre begin and end, (k + 1,); halfway belongs to the lower centre."""
        halves = (centres[1:] + centres[:-1]) / 2
        return np.concatenate(([0], np.searchsorted(self.x, halves, side="right"), [len(self.x)]))

    def costs(self, centres: np.ndarray, cuts: np.ndarray) -> np.ndarray:
        """Sum of squared distances to the centre of each run, (k,)."""
        counts, sums, squares = np.diff(cuts), np.diff(self.first[cuts]), np.diff(self.second[cuts])
        return np.maximum(squares - 2 * centres * sums + counts * centres**2, 0.0)

    def draw(self, rng: np.random.Generator, centres: np.ndarray) -> float:
        """A value, drawn in proportion to its squared distance to the nearest centre."""
        cuts = self.cuts(centres)
        total = np.cumsum(self.costs(centres, cuts))
        at = rng.random() * total[-1]
        run = min(int(np.searchsorted(total, at, side="right")), len(centres) - 1)
        left, low, high = at - (total[run - 1] if run else 0.0), int(cuts[run]), int(cuts[run + 1]) - 1
        while low < high:  # the first value up to which the run's distances add up to more than what is left
            middle = (low + high) // 2
            part = self.costs(centres[run : run + 1], np.array([cuts[run], middle + 1]))[0]
            low, high = (low, middle) if part > left else (middle + 1, high)
        return float(self.x[low])


@dataclass(frozen=True)
class Clusters:
    """k clusters in ascending order; a value belongs to the first cluster whose upper edge it does not pass."""

    edges: tuple[float, ...]  # (k + 1,) least value, halfway between neighbouring centres, largest value
    centres: tuple[float, ...]  # (k,)
    counts: tuple[int, ...]  # (k,)

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(c / sum(self.counts) for c in self.counts)

    @property
    def truncated(self) -> tuple[int, ...]:
        """Shares in whole percent, cut off as the released figure prints them."""
        return tuple(100 * c // sum(self.counts) for c in self.counts)


def kmeans(values: np.ndarray, k: int = 5, seed: int = 123) -> Clusters:
    """Clusters of all values (paper.md 3.2); raises UserError where there are fewer than k of them."""
    line = Line(values)
    if k < 1 or np.count_nonzero(np.diff(line.x)) + 1 < k:
        raise UserError(f"{k} clusters cannot be made of {np.count_nonzero(np.diff(line.x)) + 1} different values")
    centres = _plus_plus(line, k, np.random.default_rng(seed))
    cuts = line.cuts(centres)
    for _ in range(STEPS):
        counts = np.diff(cuts)
        means = np.diff(line.first[cuts]) / np.maximum(counts, 1)
        centres = np.sort(np.where(counts > 0, means, centres))
        moved, cuts = cuts, line.cuts(centres)
        if np.array_equal(moved, cuts):
            break
    halves = (centres[1:] + centres[:-1]) / 2 + line.origin
    edges = (float(line.x[0]) + line.origin, *map(float, halves), float(line.x[-1]) + line.origin)
    return Clusters(edges, tuple(map(float, centres + line.origin)), tuple(map(int, np.diff(cuts))))


def _plus_plus(line: Line, k: int, rng: np.random.Generator) -> np.ndarray:
    """Greedy k-means++: of a few draws the one that leaves the least cost (Arthur and Vassilvitskii 2007)."""
    centres = line.x[rng.integers(len(line.x))][None]  # (1,)
    for _ in range(k - 1):
        tries = [np.sort(np.append(centres, line.draw(rng, centres))) for _ in range(2 + int(np.log(k)))]
        centres = min(tries, key=lambda tried: line.costs(tried, line.cuts(tried)).sum())
    return centres


def label(values: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Cluster of each value by the edges (k + 1,): 0 is C1, the lowest; beyond the outer edges the outer clusters."""
    return np.searchsorted(np.asarray(edges[1:-1], dtype=np.float64), values, side="left").astype(np.int8)
