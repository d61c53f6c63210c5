"""How parts combine into a verdict, rank correlations of few points, and the rules for single parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audioprune.claims.evidence import Estimate, mean_interval
from audioprune.claims.ranks import exact_p, spearman
from audioprune.claims.verdict import Part, absence, combine, line, tally
from audioprune.predicates import _parts
from audioprune.statistics.noninferiority import least_upper_bound


def part(verdict: str, name="a", evidence="because", **more) -> Part:
    return Part(name, verdict, "cells", evidence, **more)


def estimate(value: float, half: float, n: int = 2000) -> Estimate:
    one_sided = half * 1.644854 / 1.959964
    return Estimate(value, value - half, value + half, value - one_sided, value + one_sided, n, 1, ("cell",))


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), "not-run"),
        (("supported", "supported"), "supported"),
        (("supported", "refuted"), "partly"),
        (("supported", "refuted", "not-run", "inconclusive"), "partly"),
        (("partly", "supported"), "partly"),
        (("refuted", "inconclusive"), "refuted"),
        (("refuted", "not-run"), "refuted"),
        (("supported", "inconclusive"), "inconclusive"),
        (("inconclusive", "not-run"), "inconclusive"),
        (("supported", "not-run"), "not-run"),
        (("not-run",), "not-run"),
    ],
)
def test_combination(verdicts, expected):
    assert combine(map(part, verdicts)) == expected
    assert combine([*map(part, verdicts), part("refuted", counted=False)]) == expected


def test_lines_count_and_name_reasons():
    parts = [part("supported", "a", "1"), part("refuted", "b", "2"), part("not-run", "c", "no data")]
    assert line(parts) == "a: 1; b: 2; 1 of 3 not run: no data"
    assert tally([*parts, part("supported", counted=False)]) == "1 supported, 1 refuted, 1 not-run of 3"
    assert absence(parts[:2]) == []
    assert absence([part("not-run", evidence=e) for e in ("x", "y", "z", "x")]) == ["not run: x and 2 more reasons"]
    many = [part("supported", str(i), "yes") for i in range(6)]
    assert line(many) == "6 supported of 6; 0: yes; and so on"


def test_rules_of_a_part():
    assert _parts.above(estimate(1.0, 0.5)) == "supported"
    assert _parts.above(estimate(-1.0, 0.5)) == "refuted"
    assert _parts.above(estimate(0.1, 0.5)) == "inconclusive"
    assert _parts.above(estimate(1.0, 0.5), 2.0) == "refuted"
    assert _parts.covers(estimate(1.0, 0.5), 1.4) == "supported"
    assert _parts.covers(estimate(1.0, 0.5), 1.6) == "refuted"


def test_non_inferiority_is_one_sided():
    assert _parts.non_inferior(estimate(0.5, 0.55), 1.0) == "supported"  # two-sided bound 1.05, one-sided 0.96
    assert _parts.non_inferior(estimate(0.8, 0.6), 1.0) == "inconclusive"
    assert _parts.non_inferior(estimate(2.0, 0.6), 1.0) == "refuted"


def test_clips_that_would_settle_it():
    """With so many clips the error shrinks until the one-sided bound stands on the margin."""
    found = estimate(0.8, 0.6)
    clips = _parts.settling(found, 1.0)
    bound = found.value + stats.norm.ppf(0.95) * found.error * np.sqrt(found.n / clips)
    assert bound == pytest.approx(1.0, abs=1e-3)
    assert _parts.settling(estimate(1.0, 0.6), 1.0) is None


def test_least_upper_bound_of_published_drops():
    assert least_upper_bound(0.80, 2000) == pytest.approx(1.128, abs=1e-3)  # paper.md 7: at least 1.13
    assert least_upper_bound(0.31, 11005) < 1.0
    assert least_upper_bound(0.0, 2000) == 0.0


def test_mean_interval_of_groups():
    values, groups = np.repeat([0.0, 1.0], 50), np.repeat(np.arange(10), 10)
    found = mean_interval(values, groups)
    assert found.value == 0.5
    assert found.low < 0.3
    assert found.high > 0.7  # ten recordings, not a hundred clips
    assert (found.n, found.low <= found.lower < found.upper <= found.high) == (100, True)
    constant = mean_interval(np.full(20, 0.25), np.arange(20))
    assert (constant.low, constant.value, constant.high) == pytest.approx((0.25, 0.25, 0.25))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=5))
def test_rank_correlation_is_scipys_and_p_is_exact(pairs):
    x, y = map(list, zip(*pairs, strict=True))
    if len(set(x)) < 2 or len(set(y)) < 2:
        with pytest.raises(ValueError, match="two different values"):
            spearman(x, y)
        return
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert 0 < exact_p(x, y) <= 1


def test_exact_p_of_four_points():
    assert spearman([35, 50, 527, 1251], [0.67, 0.9, 2.8, 2.94]) == 1.0
    assert exact_p([35, 50, 527, 1251], [0.67, 0.9, 2.8, 2.94]) == pytest.approx(2 / 24)
    with pytest.raises(ValueError, match="too many orders"):
        exact_p(range(9), range(9))
