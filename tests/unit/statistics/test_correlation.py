"""Spearman's correlation of few points: scipy, brute force, and the drops of the paper."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audioprune.statistics.correlation import exact_p, spearman


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=5))
def test_rank_correlation_is_scipys_and_p_the_share_of_orders(pairs):
    x, y = map(list, zip(*pairs, strict=True))
    if len(set(x)) < 2 or len(set(y)) < 2:
        with pytest.raises(ValueError, match="two different values"):
            spearman(x, y)
        return
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    others = np.abs([stats.spearmanr(x, order).statistic for order in permutations(y)])
    assert exact_p(x, y) == pytest.approx(np.mean(others >= abs(spearman(x, y)) - 1e-9))


def test_classes_against_drops_of_the_paper():
    """P0 at keep-rate 0.5: drops grow with the number of classes, but four points cannot say much."""
    classes, drops = (35, 50, 527, 1251), (0.67, 0.90, 2.8, 2.94)
    assert spearman(classes, drops) == 1
    assert spearman(classes, drops[::-1]) == -1
    assert exact_p(classes, drops) == exact_p(classes, drops[::-1]) == 2 / 24


def test_what_has_too_many_orders_or_other_lengths_is_refused():
    with pytest.raises(ValueError, match="9 points have too many orders"):
        exact_p(range(9), range(9))
    with pytest.raises(ValueError, match="shorter"):
        spearman((1, 2, 3), (1, 2))
