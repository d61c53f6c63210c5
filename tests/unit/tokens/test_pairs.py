"""Pairs counted in O(m log m) against all pairs, one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.statistics.concordance import COUNTS
from audioprune.tokens import pairs
from audioprune.tokens.inversions import dense_ranks, inversions


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
    found = pairs.count_pairs(scores, ranks)
    assert tuple(found) == COUNTS  # as they are read back from the cell
    for i in range(len(scores)):
        counted = tuple(int(numbers[i]) for numbers in found.values())
        assert counted == by_pairs(scores[i].tolist(), ranks[i].tolist())


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
    whole = pairs.count_pairs(scores, ranks)
    monkeypatch.setattr(pairs, "CHUNK", 60)
    parts = pairs.count_pairs(scores, ranks)
    assert all((parts[name] == whole[name]).all() for name in COUNTS)
