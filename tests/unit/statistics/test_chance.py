"""Tests against chance: against closed forms, all permutations, scikit-learn, and models that know nothing."""

from __future__ import annotations

from itertools import permutations
from math import comb

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from audioprune.statistics.chance import accuracy_p, largest_share, map_p


def tail(n: int, k: int, p: float) -> float:
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def test_the_most_frequent_class_is_what_chance_reaches():
    labels, clips = [[0]] * 6 + [[1]] * 3 + [[2]], [str(i) for i in range(10)]
    assert largest_share(labels, clips) == pytest.approx(0.6)
    right = np.array([1] * 9 + [0])
    assert accuracy_p(right, labels, clips) == pytest.approx(tail(10, 9, 0.6))
    always_the_first = np.array([1] * 6 + [0] * 4)
    assert accuracy_p(always_the_first, labels, clips) == pytest.approx(tail(10, 6, 0.6))
    assert accuracy_p(always_the_first, labels, clips) > 0.6  # 1 / 3 a class would give 0.077


def test_a_recording_counts_once():
    """Two of its three clips right are two thirds of a recording: 2 2/3 of 4, rounded down to 2."""
    recordings = ["a"] * 3 + ["b", "c", "d"]
    labels = [[0]] * 3 + [[1], [2], [3]]
    right = np.array([1, 1, 0, 1, 1, 0])
    assert largest_share(labels, recordings) == pytest.approx(0.25)
    assert accuracy_p(right, labels, recordings) == pytest.approx(tail(4, 2, 0.25))


def test_predictions_that_know_nothing_are_seldom_above_chance():
    """At 5 %, of 400 made studies of 60 recordings with two clips each, which agree."""
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        label, said = rng.integers(6, size=60), rng.integers(6, size=60)
        twice = np.repeat(label == said, 2).astype(float)
        found.append(accuracy_p(twice, np.repeat(label, 2)[:, None].tolist(), [str(i // 2) for i in range(120)]))
    assert np.mean(np.array(found) <= 0.05) < 0.05


def scored(n: int, classes: int, seed: int = 0) -> tuple[np.ndarray, list]:
    rng = np.random.default_rng(seed)
    labels = [sorted(rng.choice(classes, rng.integers(1, 3), replace=False).tolist()) for _ in range(n)]
    return rng.integers(6, size=(n, classes)).astype(float), labels  # with ties


def mean_ap(scores: np.ndarray, labels) -> float:
    hot = np.zeros(scores.shape)
    for row, own in enumerate(labels):
        hot[row, own] = 1
    there = [c for c in range(scores.shape[1]) if hot[:, c].any()]
    return float(np.mean([average_precision_score(hot[:, c], scores[:, c]) for c in there]))


def test_map_by_chance_is_the_mean_over_exchanged_labels():
    scores, labels = scored(5, 3)
    every = [mean_ap(scores, [labels[i] for i in order]) for order in permutations(range(5))]
    p, by_chance = map_p([(scores, labels)], draws=4000, seed=1)
    assert by_chance == pytest.approx(np.mean(every), abs=0.01)
    exact = np.mean(np.array(every) >= mean_ap(scores, labels) - 1e-12)
    assert p == pytest.approx(exact, abs=0.03)


def test_a_model_that_knows_its_clips_is_above_chance_and_one_that_does_not_is_not():
    scores, labels = scored(60, 8, seed=3)
    guess, _ = map_p([(scores, labels)])
    for row, own in enumerate(labels):
        scores[row, own] += 3
    known, by_chance = map_p([(scores, labels)])
    assert guess > 0.05
    assert known == 1 / 1000
    assert by_chance < mean_ap(scores, labels)
    assert map_p([(scores, labels)]) == (known, by_chance)  # seeded


def test_runs_are_averaged():
    (first, own), (second, other) = scored(40, 5, seed=4), scored(40, 5, seed=5)
    _, by_chance = map_p([(first, own), (second, other)], draws=400)
    each = [map_p([run], draws=400)[1] for run in ((first, own), (second, other))]
    assert by_chance == pytest.approx(np.mean(each), abs=0.01)
