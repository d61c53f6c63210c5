"""Gamma of a group of blocks, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.results.estimate import Estimate
from audioprune.statistics.bootstrap import Design, Drawn
from audioprune.tables._gamma import group_gammas

DESIGN = Design(10, 10, 1, 3, 0, "same", 10.0)


def estimate(value: float, draws: list[float], n: int) -> Estimate:
    return Estimate(value, Drawn(value, np.array(draws), DESIGN), n, 1, 1)


def test_blocks_are_averaged_draw_by_draw_and_those_without_a_gamma_left_out():
    own = {
        ("global", 1, 2, "gamma_s"): estimate(1.5, [1, 1, 2], 9),
        ("global", 1, 3, "gamma_s"): estimate(3.0, [2, 3, 4], 10),
        ("global", 1, 1, "gamma_s"): estimate(np.nan, [np.nan] * 3, 0),
        ("global", 2, 4, "gamma_s"): estimate(7.0, [7, 7, 7], 10),
        ("global", 1, 2, "gamma_b"): estimate(8.0, [8, 8, 8], 10),
        ("cls", 1, 2, "gamma_s"): estimate(9.0, [9, 9, 9], 10),
    }
    found = group_gammas(own, "global", 1, "gamma_s")
    assert found is not None
    assert found.value == pytest.approx((1.5 + 3) / 2)
    assert found.draws.tolist() == [1.5, 2, 3]
    assert found.n == 10
    assert group_gammas(own, "global", 3, "gamma_s") is None
