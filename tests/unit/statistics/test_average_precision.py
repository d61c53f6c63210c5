"""Weighted mAP against scikit-learn on repeated clips, and a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from audioprune.statistics.average_precision import ranking, weighted_map
from audioprune.statistics.metrics import mean_average_precision


def tagged(rng: np.random.Generator, n: int, classes: int, levels: int):
    """Scores (n, C), coarse where `levels` > 0, and labels; a rare class may have no positive."""
    truth = rng.random((n, classes)) < rng.choice([0.02, 0.3, 0.9], classes)
    scores = rng.normal(size=(n, classes)) + truth
    scores = np.round(scores * levels) / levels if levels else scores
    return scores.astype(np.float32), [list(np.flatnonzero(row)) for row in truth], truth


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 3]), st.integers(1, 40))
def test_a_clip_of_weight_two_is_two_clips(seed, levels, n):
    """Classes without positives stay out, ties are one threshold, draws without any positive have no value."""
    rng = np.random.default_rng(seed)
    scores, labels, truth = tagged(rng, n, 4, levels)
    weights = rng.integers(0, 4, (n, 6)).astype(float)
    weights[:, 5] = 0
    ours = weighted_map(ranking(scores, labels), weights)
    for value, column in zip(ours, weights.T, strict=True):
        repeats = np.repeat(np.arange(n), column.astype(int))
        kept = [c for c in range(4) if truth[repeats, c].any()]
        if not kept:
            assert np.isnan(value)
            continue
        theirs = [average_precision_score(truth[repeats, c], scores[repeats, c]) for c in kept]
        assert value == pytest.approx(np.mean(theirs), abs=1e-12)


def test_two_ties_by_hand():
    """Scores 2, 1, 1, 0, positives at the first 1 and at 0: thresholds after 3 and 4 clips, 1/2 x 1/3 + 1/2 x 1/2."""
    ranked = ranking(np.array([[2.0], [1.0], [1.0], [0.0]]), [[], [0], [], [0]])
    weights = np.array([[1, 1], [1, 3], [1, 0], [1, 1]])
    assert weighted_map(ranked, weights) == pytest.approx([5 / 12, 3 / 4 * 3 / 4 + 1 / 4 * 4 / 5])


def test_everything_once_is_the_metric_of_the_evaluations():
    scores, labels, _ = tagged(np.random.default_rng(0), 200, 12, 2)
    found = weighted_map(ranking(scores, labels), np.ones((200, 1)))
    assert found == pytest.approx([mean_average_precision(scores, labels)], abs=1e-12)


def test_without_a_single_positive_there_is_no_value():
    assert np.isnan(weighted_map(ranking(np.zeros((3, 2)), [[], [], []]), np.ones((3, 2)))).all()
