"""Pairs counted in O(m log m) against all pairs, and the released values taken apart."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audioprune import published
from audioprune.tokens import rank_correlation as rc
from audioprune.tokens.inversions import dense_ranks, inversions

CLIPS = {"as20k": 18886, "spc2": 11005, "esc50": 2000, "voxceleb1": 8251}
PATCHES = {"as20k": 512, "spc2": 64, "esc50": 256, "voxceleb1": 512}


@st.composite
def tables(draw, top=6):
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    cells = st.lists(st.integers(0, top), min_size=n * m, max_size=n * m)
    return tuple(np.array(draw(cells)).reshape(n, m) for _ in range(2))


def by_pairs(a, r) -> tuple[int, ...]:
    found = [0] * 5
    for i, j in combinations(range(len(a)), 2):
        product = (a[i] - a[j]) * (r[i] - r[j])
        for k, holds in enumerate((True, product < 0, a[i] == a[j], r[i] == r[j], a[i] == a[j] and r[i] == r[j])):
            found[k] += holds
    return tuple(found)


@settings(deadline=None)
@given(tables(), st.booleans())
def test_pairs_are_those_of_a_double_loop(table, real):
    scores, ranks = table
    scores = scores.astype(np.float32) / 7 if real else scores
    found = rc.count_pairs(scores, ranks)
    for i in range(len(scores)):
        assert tuple(int(counted[i]) for counted in found) == by_pairs(scores[i].tolist(), ranks[i].tolist())


@settings(deadline=None)
@given(tables(top=1000))
def test_inversions_and_ranks_are_those_of_a_double_loop(table):
    x, _ = table
    expected = [sum(a > b for a, b in combinations(row, 2)) for row in x.tolist()]
    assert inversions(x).tolist() == expected
    assert dense_ranks(x).tolist() == [[sorted(set(row)).index(v) for v in row] for row in x.tolist()]


def test_inversions_of_long_rows():
    assert inversions(np.arange(512)[::-1][None].repeat(3, axis=0)).tolist() == [512 * 511 // 2] * 3
    assert inversions(np.array([[70000, 3, 40000, 0]])).tolist() == [5]
    assert inversions(np.zeros((2, 0), dtype=int)).tolist() == [0, 0]
    with pytest.raises(ValueError, match="non-negative"):
        inversions(np.array([[-1, 0]]))


def test_counting_in_parts_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    scores, ranks = rng.random((7, 30)), rng.integers(0, 5, (7, 30))
    whole = rc.count_pairs(scores, ranks)
    monkeypatch.setattr(rc, "CHUNK", 60)
    assert all((a == b).all() for a, b in zip(rc.count_pairs(scores, ranks), whole, strict=True))


@settings(deadline=None)
@given(tables())
def test_tau_b_and_gamma_are_the_textbooks(table):
    scores, ranks = table
    pairs = rc.count_pairs(scores[:1], ranks[:1]).pooled()
    expected = stats.kendalltau(scores[0], ranks[0]).statistic if scores.shape[1] > 1 else math.nan
    assert rc.tau_b(pairs) == pytest.approx(float(expected), nan_ok=True)
    decided = pairs.concordant + pairs.discordant
    expected = (pairs.concordant - pairs.discordant) / decided if decided else math.nan
    assert rc.goodman_kruskal(pairs) == pytest.approx(expected, nan_ok=True)


def test_measures_by_hand():
    #               pairs of (0, 1, 2, 3): only 2-3 is discordant, 0-1 is tied in rank, 0-2 in score
    pairs = rc.count_pairs(np.array([[1.0, 2.0, 1.0, 0.5]]), np.array([[0, 0, 4, 4]]))
    pairs = pairs.pooled()
    assert pairs == (6, 3, 1, 2, 0)
    assert (pairs.tied, pairs.concordant) == (3, 0)
    assert rc.tau_star(pairs) == 0
    assert rc.tie_share(pairs) == 0.5
    assert rc.goodman_kruskal(pairs) == -1
    assert rc.tau_b(pairs) == pytest.approx(-3 / math.sqrt(5 * 4))


def test_independence_gives_the_tie_share_and_not_zero():
    rng = np.random.default_rng(0)
    scores, ranks = rng.random((4000, 64)), rng.integers(0, 5, (4000, 64))
    pairs = rc.count_pairs(scores, ranks).pooled()
    assert rc.tie_share(pairs) == pytest.approx(0.2, abs=0.005)
    assert rc.tau_star(pairs) == pytest.approx(rc.tie_share(pairs), abs=0.01)
    assert rc.tau_b(pairs) == pytest.approx(0, abs=0.01)
    strict = (pairs.concordant - pairs.discordant) / pairs.total
    assert rc.tau_star(pairs) - rc.tie_share(pairs) == pytest.approx(strict)


def test_the_least_tie_share_of_the_released_clusters():
    shares = published.load("clusters")
    shares = shares[shares["metric"] == "mean_cluster_share"]
    least = {name: rc.least_tie_share(own["value"], PATCHES[name]) for name, own in shares.groupby("dataset")}
    assert {name: round(value, 3) for name, value in least.items()} == {"as20k": 0.224, "esc50": 0.203}
    assert round(rc.least_tie_share([0.2] * 5, 64), 3) == 0.187
    assert round(rc.least_tie_share([0.2] * 5, 512), 3) == 0.198


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), min_size=10, max_size=10), min_size=1, max_size=6))
def test_no_clips_have_a_smaller_tie_share_than_the_least(levels):
    levels = np.array(levels)
    pairs = rc.count_pairs(np.tile(np.arange(10), (len(levels), 1)), levels).pooled()
    shares = np.bincount(levels.ravel(), minlength=5) / levels.size
    assert rc.tie_share(pairs) >= rc.least_tie_share(shares, 10) - 1e-12


def test_every_released_value_is_the_exact_double_of_a_rational_over_the_full_evaluation_set():
    table = published.load("correlation")
    table = table[table["unit"] == "tau_star"]
    assert len(table) == 18 * 12
    behind = {
        name: [rc.count_behind(float(v), CLIPS[name], PATCHES[name]) for v in own["printed"]]
        for name, own in table.groupby("dataset")
    }
    assert not any(count is None for counts in behind.values() for count in counts)
    spc = [float(v) for v in table[table["dataset"] == "spc2"]["printed"]]
    assert all(rc.count_behind(v, 11004, 64) is None for v in spc)  # one clip fewer cannot make a single one
    assert all(rc.count_behind(v, 11005, 32) is None for v in spc)  # nor can the tokens left at keep-rate 0.5


@settings(deadline=None)
@given(st.integers(1, 50), st.integers(2, 20), st.data())
def test_count_behind_finds_what_made_a_value(clips, tokens, data):
    total = clips * math.comb(tokens, 2)
    made = data.draw(st.integers(0, total))
    assert rc.count_behind((2 * made - total) / total, clips, tokens) == made
    assert rc.exact_tau_star(made, total) == Fraction(2 * made, total) - 1
    assert rc.count_behind((2 * made - total) / total + 1e-9, clips, tokens) is None
