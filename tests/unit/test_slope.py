"""Slopes and interactions against ordinary least squares."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.statistics.bootstrap import Design, Drawn, interval
from audioprune.statistics.slope import interaction, slope

DESIGN = Design(10, 10, 2, 400, 0, "same")


def curve(rng: np.random.Generator, rates, per_unit: float) -> dict[float, Drawn]:
    """Metric 0.9 - per_unit x (1 - keep-rate), with noise of 0.01 in every draw."""
    values = [0.9 - per_unit * (1 - rate) for rate in rates]
    return {r: Drawn(v, v + rng.normal(0, 0.01, 400), DESIGN) for r, v in zip(rates, values, strict=True)}


def test_a_slope_is_that_of_least_squares_in_every_draw():
    by_rate = curve(np.random.default_rng(0), (1.0, 0.9, 0.7, 0.5), 0.06)
    found = slope(by_rate)
    assert found.value == pytest.approx(0.06)
    expected = np.polyfit(list(by_rate), np.stack([one.draws for one in by_rate.values()]), 1)[0]
    assert found.draws == pytest.approx(expected)
    spread = 0.01 / np.sqrt(((np.array(list(by_rate)) - np.mean(list(by_rate))) ** 2).sum())
    assert found.draws.std() == pytest.approx(spread, rel=0.12)


def test_an_interaction_is_the_coefficient_of_the_joint_regression():
    rng = np.random.default_rng(1)
    first, second = curve(rng, (1.0, 0.7, 0.5), 0.2), curve(rng, (1.0, 0.8, 0.6), 0.02)
    found = interaction(first, second)
    x = np.array([*first, *second])
    model = np.repeat([1.0, 0.0], 3)
    design = np.stack([np.ones(6), x, model, x * model], axis=1)
    draws = np.stack([one.draws for one in (*first.values(), *second.values())])
    assert found.draws == pytest.approx(np.linalg.lstsq(design, draws, rcond=None)[0][3])
    assert found.value == pytest.approx(0.18)
    assert interval(found).low > 0


def test_one_keep_rate_has_no_slope():
    with pytest.raises(ValueError, match="two keep-rates or more, not 1"):
        slope(curve(np.random.default_rng(2), (1.0,), 0.1))
