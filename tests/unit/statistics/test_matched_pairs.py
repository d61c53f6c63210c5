"""Matched pairs of sentences against values by hand, and scipy's test of paired means where n is large."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audioprune.statistics.matched_pairs import matched_pairs


def test_by_hand():
    """Mean 0.4, s^2 = (8 - 10 x 0.16) / 9 = 0.7111, s / sqrt 10 = 0.2667: Z = 1.5."""
    found = matched_pairs([1, 1, 0, 2, 0, 0, -1, 1, 0, 0], least=10)
    assert (round(found.z, 12), round(found.p, 4)) == (1.5, 0.1336)


def test_of_many_sentences_it_is_the_t_test():
    differences = np.random.default_rng(0).poisson(1, 5000) - np.random.default_rng(1).poisson(1.03, 5000)
    found, known = matched_pairs(differences.tolist()), stats.ttest_1samp(differences, 0)
    assert (found.z, found.p) == pytest.approx((known.statistic, known.pvalue), abs=2e-4)


def test_few_sentences_are_refused_and_equal_ones_say_nothing():
    assert matched_pairs([1, 0] * 24) == pytest.approx(
        (float("nan"), None, "48 sentences: matched pairs need 50"), nan_ok=True
    )
    assert matched_pairs([1, 0] * 25).p is not None
    assert matched_pairs([0] * 50).p == 1
    assert matched_pairs([2] * 50).why == "the difference is the same in every sentence"
