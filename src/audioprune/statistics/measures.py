"""Metrics of weighted clips: a draw is a set of weights, so that it needs no sorting and no copying.

A measure is a function (clip weights by seed, each (n, D); seed weights (D, S)) -> the metric in every draw (D,).
n clips of a seed, S seeds, D draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from audioprune.statistics.average_precision import ranking, weighted_map

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.statistics.crossed import Crossed

Measure = Callable[[Sequence[np.ndarray], np.ndarray], np.ndarray]


def measure(predictions: pd.DataFrame, design: Crossed, metric: str) -> Measure:
    """The metric 'top1', 'map' (columns labels, scores) or 'ratio' (columns numerator, denominator) of predictions."""
    if metric not in METRICS:
        raise ValueError(f"no bootstrap for metric {metric!r}; valid: {', '.join(METRICS)}")
    return METRICS[metric](predictions, design)


def correct(predictions: pd.DataFrame) -> np.ndarray:
    """(rows,) 1.0 where the highest score (the first of equals) belongs to one of the clip's labels, else 0.0.

    A column `correct` that is there already is taken as it is.
    """
    if "correct" in predictions:
        return predictions["correct"].to_numpy(dtype=float)
    best = _scores(predictions).argmax(axis=1).tolist()
    return np.array([b in {int(one) for one in own} for b, own in zip(best, predictions["labels"], strict=True)], float)


def parts(predictions: pd.DataFrame, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator (rows,) of a metric that is a ratio of sums over clips."""
    if metric == "top1":
        return correct(predictions), np.ones(len(predictions))
    return tuple(predictions[column].to_numpy(dtype=float) for column in ("numerator", "denominator"))


def of_clips(predictions: pd.DataFrame, design: Crossed, metric: str) -> tuple[np.ndarray | None, float | None]:
    """What each clip in each seed adds to an accuracy (N,), None of other metrics; and the most the metric can be, None
    of a ratio, which has no end: a transcript may have any number of words too many.
    """
    if metric == "top1":
        right = correct(predictions)
        return np.concatenate([right[at] for at in design.rows]), 1.0
    return None, 1.0 if metric == "map" else None


def top1(predictions: pd.DataFrame, design: Crossed) -> Measure:
    """Weighted share of correct clips."""
    return _ratio(*parts(predictions, "top1"), design)


def ratio(predictions: pd.DataFrame, design: Crossed) -> Measure:
    """Weighted sum of numerators over weighted sum of denominators: word error rates, shares of tokens."""
    return _ratio(*parts(predictions, "ratio"), design)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, design: Crossed) -> Measure:
    def measured(clips: Sequence[np.ndarray], seeds: np.ndarray) -> np.ndarray:
        above = np.stack([numerator[at] @ w for at, w in zip(design.rows, clips, strict=True)], axis=1)  # (D, S)
        below = np.stack([denominator[at] @ w for at, w in zip(design.rows, clips, strict=True)], axis=1)
        above, below = (above * seeds).sum(1), (below * seeds).sum(1)
        return np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)

    return measured


def mean_average_precision(predictions: pd.DataFrame, design: Crossed) -> Measure:
    """Mean over seeds of the macro average precision; a class without a positive in a draw is left out of its mean.

    With few positives it is higher than of very many clips (0.22 against 0.19 for 20 a class of 1 000): what it and its
    interval estimate is the mAP of a test set of this size. Draws have clips twice, which lifts them above it; only
    their variance is used.
    """
    scores, labels = _scores(predictions), list(predictions["labels"])
    ranked = [ranking(scores[at], [labels[i] for i in at]) for at in design.rows]

    def measured(clips: Sequence[np.ndarray], seeds: np.ndarray) -> np.ndarray:
        by_seed = np.stack([weighted_map(own, w) for own, w in zip(ranked, clips, strict=True)], axis=1)  # (D, S)
        return (by_seed * seeds).sum(1) / seeds.sum(1)

    return measured


def _scores(predictions: pd.DataFrame) -> np.ndarray:
    scores = np.stack(list(predictions["scores"]))
    if not np.isfinite(scores).all():
        raise ValueError("predictions hold scores that are not finite")
    return scores


METRICS = {"top1": top1, "map": mean_average_precision, "ratio": ratio}
