"""Metrics, recomputed from per-clip predictions. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Labels = Sequence[Sequence[int]]


def top1(scores: np.ndarray, labels: Labels) -> float:
    """Share of clips whose highest score (the first of equals) belongs to one of the clip's labels. scores (n, C)."""
    best = np.asarray(scores).argmax(axis=1)
    return float(np.mean([int(b) in {int(one) for one in own} for b, own in zip(best, labels, strict=True)]))


def multi_hot(labels: Labels, classes: int) -> np.ndarray:
    """(n, C) float32 of zeros and ones."""
    hot = np.zeros((len(labels), classes), dtype=np.float32)
    for row, own in enumerate(labels):
        hot[row, np.asarray(own, dtype=np.int64)] = 1
    return hot


def average_precision(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Average precision of every class: sum over distinct scores of (recall step) x precision.

    scores, truth (n, C) -> (C,), NaN for a class without positives. Tied scores count as one threshold, as in
    scikit-learn's average_precision_score.
    """
    scores, truth = np.asarray(scores), np.asarray(truth, dtype=bool)
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)  # (n, C)
    hits = np.take_along_axis(truth, order, axis=0).cumsum(axis=0)  # (n, C) positives at or above each rank
    precision = hits / np.arange(1, len(scores) + 1)[:, None]
    ends = np.ones_like(truth)  # the last rank of every group of ties
    ends[:-1] = ranked[1:] != ranked[:-1]
    found = np.full(scores.shape[1], np.nan)
    for c in np.flatnonzero(hits[-1]):
        at = np.flatnonzero(ends[:, c])
        found[c] = np.diff(hits[at, c], prepend=0) @ precision[at, c] / hits[-1, c]
    return found


def mean_average_precision(scores: np.ndarray, labels: Labels) -> float:
    """Macro average precision over the classes that have a positive clip. scores (n, C)."""
    scores = np.asarray(scores)
    return float(np.nanmean(average_precision(scores, multi_hot(labels, scores.shape[1]))))


def metric_of(predictions: pd.DataFrame, metric: str) -> float:
    """A metric from an evaluation's predictions.parquet: columns labels (list of int) and scores (list of float)."""
    if metric not in SCORED:
        raise ValueError(f"no metric named {metric!r} for predictions with scores; valid: {', '.join(SCORED)}")
    return SCORED[metric](np.stack(list(predictions["scores"])), list(predictions["labels"]))


SCORED = {"top1": top1, "map": mean_average_precision}
