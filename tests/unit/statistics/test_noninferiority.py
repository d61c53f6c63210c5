"""Non-inferiority: closed forms, the paper's numbers, and the n that settles it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from audioprune.results.published import load
from audioprune.statistics.noninferiority import clips_needed, least_upper_bound, verdict_of


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.2, 0.9, "non-inferior"),
        (0.2, 1.1, "inconclusive"),
        (0.9, 1.1, "inconclusive"),
        (1.1, 1.9, "inferior"),
        (0.2, 1.0, "inconclusive"),  # a bound on the margin is not below it
        (1.0, 1.9, "inconclusive"),
    ],
)
def test_verdicts(low, high, verdict):
    assert verdict_of(low, high, 1.0) == verdict


@given(st.integers(-300, 500), st.floats(0.1, 5000), st.sampled_from([50, 100, 200]))
def test_the_clips_that_would_settle_it(drop, variance, margin):
    """With so many the bound lies within the margin; with one clip fewer, on it or beyond."""
    drop, margin = drop / 100, margin / 100
    needed = clips_needed(variance, drop, margin)
    if needed is None:
        assert drop == margin
        return
    half = norm.ppf(0.95) * np.sqrt(variance / np.array([needed, max(needed - 1, 1)]))
    assert half[0] <= abs(margin - drop) * (1 + 1e-9)
    assert needed == 1 or half[1] >= abs(margin - drop) * (1 - 1e-9)


def test_the_published_drop_on_esc50():
    """paper.md 7: 0.80 points at n = 2 000, the upper bound is at least 1.13 however well the errors agree."""
    assert least_upper_bound(0.80, 2000) == pytest.approx(1.13, abs=0.005)
    assert least_upper_bound(0.80, 2000) == pytest.approx(
        0.8 + 1.644854 * 100 * np.sqrt(0.008 * 0.992 / 2000), rel=1e-6
    )
    assert least_upper_bound(0.8, 5368) < 1 <= least_upper_bound(0.8, 5367)
    assert clips_needed(100 * 0.8 - 0.8**2, 0.8, 1.0) == 5368


def test_the_least_upper_bound_is_that_of_agreeing_errors():
    """16 of 2 000 clips more are wrong: the standard error of those differences."""
    difference = np.zeros(2000)
    difference[:16] = 100
    assert least_upper_bound(0.8, 2000) == pytest.approx(0.8 + norm.ppf(0.95) * difference.std() / np.sqrt(2000))


def test_published_drops_of_p0_at_keep_rate_0_7():
    """P0 Table 1 (paper.md 7): SPC-2 and VoxCeleb-1 may hold, ESC-50 cannot."""
    table = load("table1")
    table = table[table["metric"] == "top1"].set_index(["dataset", "keep_rate"])["value"]
    clips = {"spc2": 11_005, "esc50": 2_000, "voxceleb1": 8_251}
    bounds = {name: least_upper_bound(table[name, 1.0] - table[name, 0.7], n) for name, n in clips.items()}
    assert {name for name, bound in bounds.items() if bound >= 1} == {"esc50"}
