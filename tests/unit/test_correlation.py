"""Spearman's correlation with a permutation p-value: brute force, published numbers, scipy."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audioprune.statistics.correlation import spearman


def test_classes_against_drops_of_the_paper():
    """P0 at keep-rate 0.5: drops grow with the number of classes, but four pairs cannot say much."""
    classes, drops = (35, 50, 527, 1251), (0.67, 0.90, 2.8, 2.94)
    found = spearman(classes, drops, alternative="greater")
    assert (found.estimate, found.p, found.pairs) == (pytest.approx(1), pytest.approx(1 / 24), 4)
    assert spearman(classes, drops).p == pytest.approx(2 / 24)
    assert spearman(classes, drops).note == "with 4 pairs p is never below 0.083"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=5))
def test_p_is_the_share_of_permutations(pairs):
    x, y = np.array(pairs, dtype=float).T
    if not np.ptp(x) or not np.ptp(y):
        return
    found = spearman(x, y, alternative="less")
    assert found.estimate == pytest.approx(stats.spearmanr(x, y).statistic)
    others = [stats.spearmanr(list(p), y).statistic for p in permutations(x)]
    assert found.p == pytest.approx(np.mean(np.array(others) <= found.estimate + 1e-9))


def test_many_pairs_agree_with_scipy():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    y = 0.5 * x + rng.normal(size=60)
    found, theirs = spearman(x, y), stats.spearmanr(x, y)
    assert found.estimate == pytest.approx(theirs.statistic)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.01)
    assert "20000 permutations" in found.method
    assert spearman(x, y) == found


def test_what_has_no_ranks_is_refused():
    for x, y in (((1, 2), (1, 2)), ((1, 1, 1), (1, 2, 3)), ((1, 2, 3), (1, 2))):
        with pytest.raises(ValueError, match="three pairs or more"):
            spearman(x, y)
