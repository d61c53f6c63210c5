"""Rank correlations from numbers of pairs: by hand, against scipy, and what independence gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audioprune.statistics.concordance import Pairs, coefficients
from audioprune.tokens.pairs import count_pairs


def pooled(scores, ranks) -> Pairs:
    """Of all clips."""
    return Pairs(**{name: numbers.sum().astype(float) for name, numbers in count_pairs(scores, ranks).items()})


def test_measures_by_hand():
    #              pairs of (0, 1, 2, 3): 0-3, 1-3 and 1-2 are discordant, 0-1 and 2-3 tied in rank, 0-2 in score
    pairs = pooled(np.array([[1.0, 2.0, 1.0, 0.5]]), np.array([[0, 0, 4, 4]]))
    assert pairs == (6, 3, 1, 2, 0)
    assert (pairs.tied, pairs.concordant) == (3, 0)
    found = coefficients(pairs)
    assert found == pytest.approx(
        {"tau_star": 0, "tie_share": 0.5, "strict": -0.5, "tau_b": -3 / math.sqrt(5 * 4), "gamma": -1}
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=12))
def test_tau_b_is_scipys(pairs):
    scores, ranks = np.array(pairs).T[:, None]  # (1, m) each
    found = coefficients(pooled(scores, ranks))["tau_b"]
    assert found == pytest.approx(stats.kendalltau(scores[0], ranks[0]).statistic, nan_ok=True)


def test_independence_gives_the_tie_share_and_not_zero():
    rng = np.random.default_rng(0)
    found = coefficients(pooled(rng.random((4000, 64)), rng.integers(0, 5, (4000, 64))))
    assert found["tie_share"] == pytest.approx(0.2, abs=0.005)
    assert found["tau_star"] == pytest.approx(found["tie_share"], abs=0.01)
    assert found["tau_star"] - found["tie_share"] == pytest.approx(found["strict"])
    assert found["tau_b"] == pytest.approx(0, abs=0.01)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5), min_size=1, max_size=5))
def test_draws_are_measured_as_each_alone(draws):
    """Draws (D,) at once, those whose pairs are all tied among them."""
    counts = np.array(draws, dtype=float).T.cumsum(axis=0)[::-1]  # (5, D), the total largest
    found = coefficients(Pairs(*counts))
    for d, own in enumerate(counts.T):
        alone = coefficients(Pairs(*own))
        assert {name: values[d] for name, values in found.items()} == pytest.approx(alone, nan_ok=True)


def test_what_is_tied_throughout_has_no_tau_b_and_no_gamma():
    found = coefficients(Pairs(*np.array([6.0, 0, 6, 0, 0])))
    assert (found["tau_star"], found["tie_share"], found["strict"]) == (1, 1, 0)
    assert np.isnan([found["tau_b"], found["gamma"]]).all()
