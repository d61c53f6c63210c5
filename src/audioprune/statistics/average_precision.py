"""Mean average precision of weighted clips, in many draws at once, from one sort of each class.

A clip of weight 2 counts as two clips, one of weight 0 is not there. As in scikit-learn's average_precision_score, tied
scores are one threshold: AP = sum over thresholds of (recall step) x precision, exact in any whole-number weights whose
sum stays below 2^24. Only the ranks of positives matter, so the clips between two of them are added up in one go, for
all classes and draws in one sparse product.

n clips, C classes, K classes with a positive, G thresholds at which a positive lies (of all classes, one after
another), D draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Ranking:
    """Clips by falling score in every class, cut at the thresholds where a positive lies."""

    reached: csr_array  # (G, n) ones: clips at or above this threshold and below the class's one before
    positive: csr_array  # (G, n) ones: the positives among them, which all lie on the threshold
    first: np.ndarray  # (K,) row at which each class begins


def ranking(scores: np.ndarray, labels: Sequence[Sequence[int]]) -> Ranking:
    """The one sort of each class. scores (n, C); labels: the positive classes of each clip."""
    positives: dict[int, list[int]] = {}
    for clip, of_clip in enumerate(labels):
        for label in {int(label) for label in of_clip}:
            positives.setdefault(label, []).append(clip)
    clips, counts, own, hits = [], [], [], []
    for label in sorted(positives):
        falling = -scores[:, label]
        order = np.argsort(falling, kind="stable")
        falling = falling[order]
        at = np.searchsorted(falling, np.sort(-scores[positives[label], label]), side="right")  # clips up to its ties
        end, count = np.unique(at, return_counts=True)
        clips.append(order[: end[-1]])
        counts.append(np.diff(end, prepend=0))
        own.append(np.asarray(positives[label])[np.argsort(-scores[positives[label], label], kind="stable")])
        hits.append(count)
    first = np.cumsum([0, *(len(count) for count in counts)])[:-1]
    shape = (sum(map(len, counts)), len(scores))
    return Ranking(_ones(clips, counts, shape), _ones(own, hits, shape), first)


def _ones(columns: list[np.ndarray], counts: list[np.ndarray], shape: tuple[int, int]) -> csr_array:
    """Rows of ones: the next count[i] columns are in row i."""
    if not columns:
        return csr_array(shape, dtype=np.float32)
    column = np.concatenate(columns).astype(np.int32)
    ends = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return csr_array((np.ones(len(column), dtype=np.float32), column, ends), shape=shape)


def weighted_map(ranked: Ranking, weights: np.ndarray) -> np.ndarray:
    """(D,) macro average over the classes with a positive in the draw, NaN where no class has one.

    weights (n, D): whole numbers, how often each clip was drawn.
    """
    if not len(ranked.first):
        return np.full(weights.shape[1], np.nan)
    weights = np.ascontiguousarray(weights, dtype=np.float32)  # whole numbers below 2^24: sums are exact
    own = (ranked.positive @ weights).astype(float)  # (G, D) positives on the threshold
    above = _within(ranked.reached @ weights, ranked.first)  # (G, D) clips at or above it
    found = _within(own, ranked.first)  # (G, D) positives at or above it
    found *= own
    np.divide(found, above, out=found, where=above > 0)
    weight = np.add.reduceat(own, ranked.first, axis=0)  # (K, D)
    precision = np.add.reduceat(found, ranked.first, axis=0)
    present = weight > 0
    np.divide(precision, weight, out=precision, where=present)
    counted = present.sum(0)
    return np.divide(precision.sum(0), counted, out=np.full(weights.shape[1], np.nan), where=counted > 0)


def _within(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Cumulative sums (G, D) that begin anew at every class."""
    total = values.cumsum(0, dtype=float)
    before = np.concatenate([np.zeros((1, values.shape[1])), total[first[1:] - 1]])
    total -= np.repeat(before, np.diff([*first, len(values)]), axis=0)
    return total
