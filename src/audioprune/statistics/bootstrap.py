"""Intervals by a bootstrap over source recordings, and over seeds where there are several. numpy only.

Clips of one recording are not independent, so whole recordings are drawn. Predictions of several seeds are crossed
with them: recordings and seeds are drawn apart, and a clip of seed s counts w(recording) x v(s) times. A draw depends
on the number and the sorted names of recordings and seeds alone, so two methods judged on the same clips meet the same
draws, and their difference is paired.

Predictions are a table with columns clip, recording, labels (list of int), scores (list of float), optionally seed.
R recordings, S seeds, n clips of a seed, C classes, D draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 100  # draws held in memory at a time


class Difference(NamedTuple):
    """A metric of a minus that of b, on the metric's own scale, with its interval."""

    value: float
    low: float
    high: float


def interval(
    predictions: pd.DataFrame, metric: str, *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval (low, high) of a metric, 'top1' or 'map', both from 0 to 1."""
    return _percentiles(_drawn(_clusters(predictions), metric, draws, seed), level)


def paired_difference(
    a: pd.DataFrame, b: pd.DataFrame, metric: str, *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> Difference:
    """Metric of `a` minus metric of `b`, both on the same clips and seeds; ValueError where they are not."""
    first, second = _clusters(a), _clusters(b)
    if first.names != second.names or first.seeds != second.seeds or first.clips != second.clips:
        raise ValueError("a paired difference needs predictions of the same clips, recordings and seeds on both sides")
    value = _estimate(first, metric) - _estimate(second, metric)
    return Difference(
        value, *_percentiles(_drawn(first, metric, draws, seed) - _drawn(second, metric, draws, seed), level)
    )


@dataclass(frozen=True)
class _Clusters:
    """Predictions by seed, with each clip's recording as a number."""

    names: tuple[str, ...]  # of the recordings, sorted
    seeds: tuple  # sorted
    clips: tuple[tuple[str, ...], ...]  # by seed, sorted
    recording: list[np.ndarray]  # by seed: (n,)
    labels: list[list]  # by seed: n lists
    scores: list[np.ndarray]  # by seed: (n, C)


def _clusters(predictions: pd.DataFrame) -> _Clusters:
    clip = predictions["clip"].to_numpy().astype(str)
    recording = predictions["recording"].to_numpy().astype(str) if "recording" in predictions else clip
    recording = np.where(recording == "", clip, recording)
    names, number = np.unique(recording, return_inverse=True)
    of_seed = predictions["seed"].to_numpy() if "seed" in predictions else np.zeros(len(clip), dtype=int)
    scores, labels = np.stack(list(predictions["scores"])), list(predictions["labels"])
    if not np.isfinite(scores).all():
        raise ValueError("predictions hold scores that are not finite")
    seeds = np.unique(of_seed)
    rows = [np.flatnonzero(of_seed == one) for one in seeds]
    rows = [at[np.argsort(clip[at], kind="stable")] for at in rows]
    clips = tuple(tuple(clip[at]) for at in rows)
    if any(len(set(own)) < len(own) for own in clips):
        raise ValueError("a clip occurs twice in the predictions of one seed")
    return _Clusters(
        tuple(names),
        tuple(seeds.tolist()),
        clips,
        [number[at] for at in rows],
        [[labels[i] for i in at] for at in rows],
        [scores[at] for at in rows],
    )


def _weights(recordings: int, seeds: int, draws: int, seed: int):
    """Yield, chunk by chunk, how often each recording (D, R) and each seed (D, S) was drawn."""
    rng = np.random.default_rng(seed)
    for start in range(0, draws, CHUNK):
        count = min(CHUNK, draws - start)
        yield _counts(rng, count, recordings), _counts(rng, count, seeds)


def _counts(rng: np.random.Generator, draws: int, things: int) -> np.ndarray:
    """(D, things) float64: how often each thing occurs among `things` uniform draws with replacement."""
    drawn = rng.integers(things, size=(draws, things)) + np.arange(draws)[:, None] * things
    return np.bincount(drawn.ravel(), minlength=draws * things).reshape(draws, things).astype(float)


def _drawn(data: _Clusters, metric: str, draws: int, seed: int) -> np.ndarray:
    """The metric in every draw (D,)."""
    measure = _METRICS[metric](data) if metric in _METRICS else _unknown(metric)
    return np.concatenate([measure(*pair) for pair in _weights(len(data.names), len(data.seeds), draws, seed)])


def _estimate(data: _Clusters, metric: str) -> float:
    """The metric itself: everything once."""
    measure = _METRICS[metric](data) if metric in _METRICS else _unknown(metric)
    return float(measure(np.ones((1, len(data.names))), np.ones((1, len(data.seeds))))[0])


def _unknown(metric: str):
    raise ValueError(f"no bootstrap for metric {metric!r}; valid: {', '.join(_METRICS)}")


def _percentiles(values: np.ndarray, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"level {level} is not between 0 and 1")
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _top1(data: _Clusters):
    """Weighted share of correct clips, from the sums of each recording and seed."""
    correct = np.zeros((len(data.names), len(data.seeds)))  # (R, S)
    clips = np.zeros_like(correct)
    for s, (recording, labels, scores) in enumerate(zip(data.recording, data.labels, data.scores, strict=True)):
        hit = [
            best in {int(label) for label in own} for best, own in zip(scores.argmax(1).tolist(), labels, strict=True)
        ]
        np.add.at(correct[:, s], recording, hit)
        np.add.at(clips[:, s], recording, 1)
    return lambda w, v: np.einsum("ds,ds->d", w @ correct, v) / np.einsum("ds,ds->d", w @ clips, v)


def _map(data: _Clusters):
    """Mean over seeds of the macro average precision over the classes with a positive in the draw."""
    ranked = [_ranked(scores, labels) for scores, labels in zip(data.scores, data.labels, strict=True)]

    def measure(w: np.ndarray, v: np.ndarray) -> np.ndarray:
        columns = w.T.astype(np.float32)  # (R, D), whole numbers far below 2^24: sums are exact
        by_seed = np.stack(
            [_weighted_map(columns[own], classes) for own, classes in zip(data.recording, ranked, strict=True)], axis=1
        )  # (D, S)
        return (by_seed * v).sum(1) / v.sum(1)

    return measure


@dataclass(frozen=True)
class _Ranked:
    """One class: its clips by falling score, cut after the last positive into groups that end with tied positives."""

    order: np.ndarray  # clips down to the last positive and those tied with it
    starts: np.ndarray  # (G,) where each group begins in `order`
    positives: np.ndarray  # clips with the label, by falling score
    firsts: np.ndarray  # (G,) where each group's positives begin in `positives`


def _ranked(scores: np.ndarray, labels: list) -> list[_Ranked]:
    """Every class that has a positive; the one sort of each."""
    positives: dict[int, list[int]] = {}
    for row, own in enumerate(labels):
        for label in {int(label) for label in own}:
            positives.setdefault(label, []).append(row)
    found = []
    for label in sorted(positives):
        order = np.argsort(-scores[:, label], kind="stable")
        at = np.flatnonzero(np.isin(order, positives[label]))  # ranks of the positives
        falling = -scores[order, label]
        last, firsts = np.unique(np.searchsorted(falling, falling[at], side="right") - 1, return_index=True)
        starts = np.concatenate([[0], last[:-1] + 1])
        found.append(_Ranked(order[: last[-1] + 1], starts, order[at], firsts))
    return found


def _weighted_map(w: np.ndarray, classes: list[_Ranked]) -> np.ndarray:
    """(D,) from clip weights (n, D): tied scores are one threshold, as in scikit-learn."""
    total, counted = np.zeros(w.shape[1]), np.zeros(w.shape[1])
    for one in classes:
        above = np.add.reduceat(w[one.order], one.starts, axis=0).cumsum(0, dtype=float)  # (G, D) ranked so far
        own = np.add.reduceat(w[one.positives], one.firsts, axis=0)  # (G, D)
        hits = own.cumsum(0, dtype=float)  # positives ranked so far
        precision = np.divide(hits, above, out=np.zeros_like(hits), where=above > 0)
        weight = hits[-1]
        total += np.divide((own * precision).sum(0), weight, out=np.zeros_like(weight), where=weight > 0)
        counted += weight > 0
    return np.divide(total, counted, out=np.full(len(total), np.nan), where=counted > 0)


_METRICS = {"top1": _top1, "map": _map}
