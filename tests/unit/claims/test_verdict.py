"""How parts combine into a verdict, and the rules for single parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from audioprune.claims.verdict import Part, absence, combine, counts, line, tally
from audioprune.predicates import _parts
from audioprune.results.estimate import Estimate
from audioprune.statistics.bootstrap import Design, Drawn
from audioprune.statistics.noninferiority import least_upper_bound


def part(verdict: str, name="a", evidence="because", **more) -> Part:
    return Part(name, verdict, "cells", evidence, **more)


NORMAL = stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)  # draws without chance


def estimate(value: float, half: float, n: int = 2000) -> Estimate:
    """Its two-sided interval is value ± half; its draws are normal."""
    draws = value + half / stats.norm.ppf(0.975) * NORMAL
    return Estimate(value, Drawn(value, draws, Design(n, n, 1, len(draws), 0, "", float(n))), n, 2, 1, ("cell",))


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
        (("open",), "open"),
        (("open", "supported"), "open"),
        (("open", "refuted"), "refuted"),
        (("open", "not-run", "supported"), "not-run"),
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
    some = [*many, part("not-run", "c", "no data"), part("not-run", "d", "elsewhere", counted=False)]
    assert line(some) == "6 supported, 1 not-run of 7; 0: yes; and so on; 1 of 7 not run: no data"
    assert counts(some) == {"supported": 6, "not-run": 1}


def test_the_estimates_below_are_what_they_say():
    found = estimate(1.0, 0.5)
    assert found.interval == pytest.approx((0.5, 1.5), abs=1e-4)
    one_sided = 0.5 * stats.norm.ppf(0.95) / stats.norm.ppf(0.975)
    assert found.bounds == pytest.approx((1 - one_sided, 1 + one_sided), abs=1e-4)


def test_rules_of_a_part():
    assert _parts.above(estimate(1.0, 0.5)) == "supported"
    assert _parts.above(estimate(-1.0, 0.5)) == "refuted"
    assert _parts.above(estimate(0.1, 0.5)) == "inconclusive"
    assert _parts.above(estimate(1.0, 0.5), 2.0) == "refuted"
    assert _parts.covers(estimate(1.0, 0.5), 1.4) == "supported"
    assert _parts.covers(estimate(1.0, 0.5), 1.6) == "refuted"


def test_whether_it_is_above_is_two_sided():
    """One-sided 95 % bounds lie 0.84 away, where the ends of the interval lie 1 away."""
    verdicts = {value: _parts.above(estimate(value, 1.0)) for value in (1.01, 0.9, -0.9, -1.01)}
    assert list(verdicts.values()) == ["supported", "inconclusive", "inconclusive", "refuted"]
    assert _parts.covers(estimate(1.0, 1.0), 0.1) == _parts.covers(estimate(1.0, 1.0), 1.9) == "supported"
    assert _parts.covers(estimate(1.0, 1.0), -0.1) == _parts.covers(estimate(1.0, 1.0), 2.1) == "refuted"


def test_non_inferiority_is_one_sided():
    assert _parts.non_inferior(estimate(0.5, 0.55), 1.0) == "supported"  # two-sided bound 1.05, one-sided 0.96
    assert _parts.non_inferior(estimate(0.5, 0.62), 1.0) == "inconclusive"  # one-sided 1.02
    assert _parts.non_inferior(estimate(1.5, 0.55), 1.0) == "refuted"  # two-sided bound 0.95, one-sided 1.04
    assert _parts.non_inferior(estimate(1.5, 0.62), 1.0) == "inconclusive"  # one-sided 0.98


def test_a_part_says_what_it_rests_on_and_what_its_sides_leave_out():
    found = estimate(1.0, 0.5)
    own = _parts.measured("a", "supported", "drop 1.00", found)
    assert (own.value, own.low, own.high, own.unit) == (1.0, found.low, found.high, "pp")
    assert (own.n, own.seeds, own.cells, own.evidence) == (2000, 1, ("cell",), "drop 1.00")
    less = _parts.measured(
        "a", "supported", "drop 1.00", replace(found, left_out="over the 1 of 2 runs"), counted=False
    )
    assert (less.evidence, less.counted) == ("drop 1.00, over the 1 of 2 runs", False)


def test_clips_that_would_settle_it():
    """With so many clips the error shrinks until the one-sided bound stands on the margin."""
    found, seeds = estimate(0.8, 0.6), [0.7, 0.8, 0.9]
    said = _parts.settling(found, 1.0, seeds)
    clips = int("".join(filter(str.isdigit, said.partition(" clips")[0])))
    training = np.var(seeds, ddof=1) / 3
    of_clips = (found.error**2 - training) * found.n / clips
    bound = found.value + stats.norm.ppf(0.95) * np.sqrt(of_clips + training)
    assert bound == pytest.approx(1.0, abs=5e-3)  # clips are told to two digits
    assert said == f"about {clips:,}".replace(",", " ") + " clips would settle it, at 3 seeds"


def test_no_number_of_clips_settles_what_training_decides():
    """With one seed its variance is not known; with several it may reach beyond the margin by itself."""
    assert _parts.settling(estimate(0.8, 0.6), 1.0, [0.8]).startswith("one seed: ")
    wide = [0.2, 0.8, 1.4]  # 1.645 x 0.6 / sqrt(3) = 0.57 points, where 0.2 are left
    assert stats.norm.ppf(0.95) * np.std(wide, ddof=1) / np.sqrt(3) > 0.2
    said = _parts.settling(estimate(0.8, 0.9), 1.0, wide)
    assert said == "the variance between 3 seeds is too large: more clips would not settle it"
    assert " clips would settle it" not in _parts.settling(estimate(1.0, 0.6), 1.0, [0.9, 1.0, 1.1])


def test_least_upper_bound_of_published_drops():
    assert least_upper_bound(0.80, 2000) == pytest.approx(1.128, abs=1e-3)  # paper.md 7: at least 1.13
    assert least_upper_bound(0.31, 11005) < 1.0
    assert least_upper_bound(0.0, 2000) == 0.0


def test_without_an_interval_nothing_is_refuted():
    assert _parts.covers(Estimate(5.0, None, 1, 1, 1), 9.0) == "inconclusive"
    assert _parts.above(Estimate(5.0, None, 1, 1, 1)) == "inconclusive"
