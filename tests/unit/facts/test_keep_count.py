"""K = ceil(keep_rate n), the table of every count that the paper's grid has."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.facts.tokens import keep_count, keep_counts

TABLE = {  # keep-rate: counts at three locations from 64, 256 and 512 patches
    0.9: ([58, 53, 48], [231, 208, 188], [461, 415, 374]),
    0.8: ([52, 42, 34], [205, 164, 132], [410, 328, 263]),
    0.7: ([45, 32, 23], [180, 126, 89], [359, 252, 177]),
    0.6: ([39, 24, 15], [154, 93, 56], [308, 185, 111]),
    0.5: ([32, 16, 8], [128, 64, 32], [256, 128, 64]),
    0.4: ([26, 11, 5], [103, 42, 17], [205, 82, 33]),
    0.3: ([20, 6, 2], [77, 24, 8], [154, 47, 15]),
}


@pytest.mark.parametrize("rate", TABLE)
def test_table(rate):
    for patches, expected in zip((64, 256, 512), TABLE[rate], strict=True):
        assert keep_counts(rate, patches, 1, 3) == expected


def test_exact_where_float32_is_not():
    assert math.ceil(float(np.float32(0.6) * np.float32(185))) == 112
    assert keep_count(0.6, 185) == 111
    assert keep_count(np.float64(0.6), 185) == keep_count(np.float32(0.5), 222) == 111


def test_released_gather_counts_prefix_tokens_that_are_gone():
    # 64 patches, kr 0.7: 45; then ceil(0.7 x 43) = 31, ceil(0.7 x 29) = 21 with two prefix tokens
    assert keep_counts(0.7, 64, 2, 3, released_gather=True) == [45, 31, 21]
    assert keep_counts(0.7, 64, 1, 3, released_gather=True) == [45, 31, 21]  # ceil(0.7 x 44), ceil(0.7 x 30)


@given(st.integers(1, 100), st.integers(1, 2000))
def test_smallest_count_that_is_enough(percent, n):
    k = keep_count(percent / 100, n)
    assert 1 <= k <= n
    assert Fraction(k, n) >= Fraction(percent, 100) > Fraction(k - 1, n)
