"""Has a model learnt anything? Exact tests of how likely predictions without knowledge of their clips do as well.

n clips, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import betainc

Labels = Sequence[Sequence[int]]  # of each clip


def largest_share(labels: Labels, recordings: Sequence[str]) -> float:
    """The share of recordings that the most frequent class has: what a model is right on that always says this class.

    Every recording counts once, its clips share it. It is at least 1 / C, so a test against it is one against guessing.
    """
    weights = _weights(recordings)
    classes = sorted({int(one) for own in labels for one in own})
    return max(float(weights[[one in own for own in labels]].sum()) for one in classes)


def accuracy_p(correct: np.ndarray, labels: Labels, recordings: Sequence[str]) -> float:
    """Chance that a model which does not look at the clips is right on as many recordings: a binomial tail.

    correct (n,): 1 where a clip is right. Clips of one recording are not independent: a recording counts once, as the
    share of its clips that are right; the sum is rounded down, so that the test errs towards chance. The tail from k of
    n on is the incomplete beta function I_p(k, n - k + 1).
    """
    n = len(set(recordings))
    right = np.floor(n * float(_weights(recordings) @ np.asarray(correct, dtype=float)) + 1e-9)
    return float(betainc(right, n - right + 1, min(1.0, largest_share(labels, recordings))))


def map_p(runs: Sequence[tuple[np.ndarray, Labels]], *, draws: int = 999, seed: int = 0) -> tuple[float, float]:
    """(p, mAP by chance) of the mean over runs of macro average precision, labels exchanged between the clips of a run.

    runs: scores (n, C) and labels. p = (1 + draws that reach it) / (1 + draws): exact at any number of draws, and the
    same for the same seed. mAP by chance, from 0 to 1, is the mean over draws: it lies above the classes' shares where
    classes have few positives.

    # ASSUME: label sets of clips can be exchanged. Where several clips are of one recording, p is too small.
    """
    rng = np.random.default_rng(seed)
    ranked = [_Ranked(np.asarray(scores), labels) for scores, labels in runs]
    found = np.mean([own.mean_average_precision(np.arange(own.n)) for own in ranked])
    by_chance = np.array(
        [np.mean([own.mean_average_precision(rng.permutation(own.n)) for own in ranked]) for _ in range(draws)]
    )
    return (1 + int((by_chance >= found - 1e-12).sum())) / (1 + draws), float(by_chance.mean())


class _Ranked:
    """Scores as ranks, so that average precision under exchanged labels needs no sorting of clips."""

    def __init__(self, scores: np.ndarray, labels: Labels):
        self.n = len(scores)
        pairs = [(clip, int(label)) for clip, own in enumerate(labels) for label in sorted(set(own))]
        self.clip, self.label = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
        rising = np.sort(scores, axis=0)
        columns = range(scores.shape[1])
        reached = [self.n - np.searchsorted(rising[:, c], scores[:, c], side="left") for c in columns]
        self.reached = np.stack(reached, axis=1)  # (n, C) clips that score at least as high as this one
        self.positives = np.bincount(self.label, minlength=scores.shape[1])

    def mean_average_precision(self, clip_of: np.ndarray) -> float:
        """Macro average precision when label set i belongs to clip `clip_of[i]`, (n,)."""
        rank = self.reached[clip_of[self.clip], self.label]
        key = np.sort(self.label * (self.n + 1) + rank)  # by class, then by rank
        label, rank = np.divmod(key, self.n + 1)
        hits = np.searchsorted(key, key, side="right") - np.searchsorted(label, label, side="left")
        precision = np.bincount(label, hits / rank, minlength=len(self.positives))
        there = self.positives > 0
        return float((precision[there] / self.positives[there]).mean())


def _weights(recordings: Sequence[str]) -> np.ndarray:
    """(n,) of each clip, which sum to 1: equal ones for recordings, and for the clips of each."""
    _, of_clip, counts = np.unique(np.asarray(recordings, dtype=str), return_inverse=True, return_counts=True)
    return 1 / (len(counts) * counts[of_clip])
