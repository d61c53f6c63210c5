"""The rule that a difference of error rates is judged by: every outcome, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.results.estimate import Estimate
from audioprune.results.speech_rule import BELOW, FEW, NO_WIDTH, NOTHING, Chance, margin, outcome, settling
from audioprune.statistics.bootstrap import Design, Drawn

SURE, UNSURE, ADJUSTED, UNTESTED = Chance(0.01, 0.03, 3), Chance(0.4, 0.4), Chance(0.02, 0.06, 3), Chance(None, None)


@pytest.mark.parametrize(
    ("low", "high", "p", "said"),
    [
        (-3, -0.1, SURE, ("supported", "")),
        (-0.9, -0.1, SURE, ("supported", BELOW)),
        (0.1, 2, SURE, ("refuted", "")),
        (0.1, 0.9, SURE, ("refuted", BELOW)),
        (-0.5, 0.9, UNSURE, ("refuted", NOTHING)),
        (-0.9, -0.1, ADJUSTED, ("refuted", NOTHING)),  # not among the three; within what does not matter
        (-3, -0.1, ADJUSTED, ("inconclusive", "beyond its interval, and p is 0.020, among 3 0.060")),
        (-3, -0.1, UNTESTED, ("inconclusive", FEW)),
        (-2, 0.5, UNSURE, ("inconclusive", "")),
        (-1, 1, UNSURE, ("inconclusive", "")),  # the margin itself matters
        (0, 0, UNSURE, ("inconclusive", NO_WIDTH)),
        (float("nan"), float("nan"), UNSURE, ("inconclusive", "no interval")),
    ],
)
def test_by_the_ends_of_the_interval_in_the_order_of_the_rules(low, high, p, said):
    assert outcome(low, high, 1.0, p) == said


@pytest.mark.parametrize(("unpruned", "points"), [(3.0, 0.5), (5.0, 0.5), (12.63, 1.263)])
def test_a_difference_matters_from_half_a_point_or_a_tenth(unpruned, points):
    assert margin(unpruned) == pytest.approx(points)


def estimate(value: float, half: float, seeds: int = 1) -> Estimate:
    """Percentiles of these draws lie `half` on either side of the value."""
    drawn = Drawn(
        value, np.linspace(value - half / 0.95, value + half / 0.95, 1001), Design(9, 9, seeds, 1001, 0, "", 9.0)
    )
    return Estimate(value, drawn, 9, seeds, seeds)


@pytest.mark.parametrize(
    ("value", "half", "points", "words"),
    [
        (0.2, 1.6, 1.0, 4000),  # lies within what does not matter at 0.8, half the width: 4 times the words
        (-3.0, 6.0, 1.0, 4000),  # leaves zero out at half the width
        (-0.5, 2.0, 1.0, 16000),  # both at 0.5: a quarter of the width, 16 times the words
    ],
)
def test_how_many_words_would_settle_it(value, half, points, words):
    told = settling(estimate(value, half), points, 1000)
    count = f"{words:,}".replace(",", " ")
    assert told == f"about {count} words would settle it, 1000 were read"
    assert settling(estimate(value, half, seeds=3), points, 1000).startswith("at least ")
