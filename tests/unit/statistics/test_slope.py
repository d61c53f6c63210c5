"""Factors of a least-squares slope: by hand, against numpy.polyfit, and in a joint regression."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.statistics.slope import slope_factors


def test_factors_by_hand():
    assert slope_factors([2, 5]).tolist() == pytest.approx([-1 / 3, 1 / 3])
    assert slope_factors([0, 1, 2]).tolist() == [-0.5, 0, 0.5]
    assert slope_factors((0.0, 0.1, 0.5)).tolist() == pytest.approx([-0.2 / 0.14, -0.1 / 0.14, 0.3 / 0.14])


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=12, unique=True), st.integers(0, 2**32 - 1))
def test_slopes_are_those_of_polyfit_in_every_draw(x, seed):
    draws = np.random.default_rng(seed).normal(size=(len(x), 50))  # (n, D)
    assert slope_factors(x) @ draws == pytest.approx(np.polyfit(x, draws, 1)[0], abs=1e-9)
    assert slope_factors(x).sum() == pytest.approx(0, abs=1e-12)


def test_a_difference_of_slopes_is_the_coefficient_of_the_joint_regression():
    first, second = [1.0, 0.7, 0.5], [1.0, 0.8, 0.6]
    draws = np.random.default_rng(1).normal(size=(6, 50))
    x, model = np.array([*first, *second]), np.repeat([1.0, 0.0], 3)
    design = np.stack([np.ones(6), x, model, x * model], axis=1)
    found = slope_factors(first) @ draws[:3] - slope_factors(second) @ draws[3:]
    assert found == pytest.approx(np.linalg.lstsq(design, draws, rcond=None)[0][3])


def test_a_slope_needs_two_different_values():
    for x in ([], [0.5], [0.1, 0.1, 0.1]):
        with pytest.raises(ValueError, match="two different values of x or more, not "):
            slope_factors(x)
