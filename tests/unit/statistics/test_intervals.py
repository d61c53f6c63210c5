"""Intervals of few changed clips: closed forms, coverage by counting all outcomes, McNemar's test, simulations."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import tests.fakes.intervals as _intervals
from audioprune.statistics.bootstrap import Design, Drawn, contrast, draw
from audioprune.statistics.crossed import crossed
from audioprune.statistics.intervals import chance, quantiles
from audioprune.statistics.units import Unit
from benchmarks.coverage import Study, simulate
from tests.unit.statistics.test_bootstrap import keyword, tagging

LEVELS = (0.025, 0.975)


def counted(lost: int, gained: int, n: int) -> Drawn:
    """A drop of so many clips of their own, with the variance that the bootstrap has in the limit of many draws."""
    value = (lost - gained) / n
    spread = np.sqrt(((lost + gained) / n - value**2) / n)
    design = Design(n, n, 1, 2, 0, "", float(n))
    return Drawn(value, np.array([value - spread, value + spread]), design, (1.0, -1.0))


def ends(drawn: Drawn) -> tuple[float, float]:
    low, high = quantiles(drawn, LEVELS)
    return low, high


def test_by_hand():
    """Five lost and two gained of 100 clips: Bonett and Price's formula with three clips more and not two."""
    share, n = (5 - 2) / 103, 103
    error = np.sqrt(((5 + 2 + 3) / n - share**2) / n)
    assert ends(counted(5, 2, 100)) == pytest.approx((share - 1.959964 * error, share + 1.959964 * error), abs=1e-8)
    found = contrast((1, draw(keyword([True] * 98 + [False] * 2), "top1", draws=20_000)),
                     (-1, draw(keyword([False] * 5 + [True] * 95), "top1", draws=20_000)))  # fmt: skip
    assert found.changed == (5, 2)
    assert ends(found) == pytest.approx(ends(counted(5, 2, 100)), abs=5e-4)


def test_the_same_by_weighted_recordings():
    own = np.random.default_rng(0).normal(0.3, 0.1, 1000)
    for factors in ((1.0,), (1.0, -1.0), (1.0, -1.0, -1.0, 1.0), (0.5, -1.5, 2.0)):
        drawn = Drawn(0.3, own, Design(60, 40, 1, 1000, 0, "", 31.5), factors)
        assert quantiles(drawn, [0.05, 0.5, 0.99]) == pytest.approx(
            _intervals.ends(0.3, own, factors, 31.5, [0.05, 0.5, 0.99])
        )


@cache
def outcome(lost: int, gained: int, n: int) -> tuple[float, float]:
    return ends(counted(lost, gained, n))


def exact_coverage(n: int, lost: float, gained: float) -> tuple[float, float]:
    """Probability that the interval holds the true drop, by all outcomes of n clips of their own; its mean width."""
    p, q = lost / n, gained / n
    covered = width = 0.0
    for b in range(40):
        chances = stats.binom.pmf(b, n, p) * stats.binom.pmf(np.arange(40), n - b, q / (1 - p))
        for c in np.flatnonzero(chances > 1e-8).tolist():
            low, high = outcome(b, c, n)
            covered += chances[c] * (low - 1e-12 <= p - q <= high + 1e-12)
            width += chances[c] * (high - low)
    return covered, width


@pytest.mark.parametrize("n", [100, 168, 2000])
@pytest.mark.parametrize("share", [1.0, 0.8, 0.5])
def test_coverage_with_few_changed_clips_is_93_in_100_or_more(n, share):
    """Of clips of their own, by counting; and so of recordings that change as a whole, n of them."""
    found = [
        exact_coverage(n, share * expected, (1 - share) * expected)
        for expected in (0, 0.5, 1, 2, 3, 4.4, 6, 7.4, 9, 10)
    ]
    assert min(covered for covered, _ in found) >= 0.94
    widths = [100 * width for _, width in found]
    assert widths == sorted(widths)
    assert widths[0] == pytest.approx(100 * 2 * 1.959964 * 3**0.5 / (n + 3))
    assert widths[-1] < 100 * 2 * 1.959964 * 13.1**0.5 / n  # 14 % above what ten changed clips have of themselves


def test_percentiles_would_cover_less():
    """What stood here before: of 3.5 expected losses Poisson percentiles miss the truth in one study of seven."""
    lost = np.arange(0, 40)
    missed = (stats.poisson.ppf(0.975, lost) < 3.5) | (stats.poisson.ppf(0.025, lost) > 3.5)
    assert stats.poisson.pmf(lost[missed], 3.5).sum() > 0.13


def test_zero_is_excluded_where_mcnemars_exact_test_rejects():
    """Of 168 clips, up to 40 changed: 15 of 435 pairs of counts differ, all with p between 0.04 and 0.06."""
    differ = []
    for b, c in product(range(41), repeat=2):
        if 0 < b + c <= 80 and c <= b <= 40:
            p = stats.binomtest(b, b + c).pvalue
            if (ends(counted(b, c, 168))[0] > 0) != (p <= 0.05):
                differ.append(p)
    assert len(differ) <= 15
    assert all(0.035 < p < 0.07 for p in differ)
    assert ends(counted(5, 0, 168))[0] < 0 < ends(counted(6, 0, 168))[0]  # p = 0.0625 and 0.031


@given(st.integers(0, 30), st.integers(0, 30), st.integers(80, 3000))
def test_less_evidence_is_never_narrower(lost, gained, n):
    width = np.ptp(ends(counted(lost, gained, n)))
    assert width > 0
    assert np.ptp(ends(counted(lost + 1, gained, n))) > width  # no more certain of none than of one
    assert np.ptp(ends(counted(lost, gained, n + 1))) < width


def test_nothing_has_a_width_of_zero():
    """Equal predictions: of accuracy and mAP; of one term, two and four; of one seed and three."""
    correct, frame = np.arange(100) < 60, tagging(np.random.default_rng(0), 100, 4)
    for metric, one in (("top1", keyword(correct)), ("map", frame)):
        several = pd.concat([one.assign(seed=s) for s in range(3)])
        for own in (one, several):
            drawn = draw(own, metric, draws=50)
            for terms in ((1, -1), (1, -1, -1, 1), (0.3, -0.3, -1.9, 1.9, 0.1, -0.1)):  # a drop, two, slopes
                same = contrast(*((f, drawn) for f in terms))
                n = drawn.design.effective
                reach = np.sqrt(np.square(terms).sum() / 2)
                half = 1.959964 * reach * np.sqrt(3) / (n + 3)
                assert ends(same) == pytest.approx((-half, half), rel=1e-6)


def test_word_errors_have_percentiles_and_one_runaway_clip_does_not_widen_them_to_everything():
    """40 speakers of 10 sentences of 3 words; a clip in which 60 words were heard instead of 3."""
    draws = np.random.default_rng(0)
    wrong = draws.binomial(3, 0.05, 400)
    frame = pd.DataFrame({"clip": np.arange(400), "recording": [f"s{i // 10}" for i in range(400)]})
    frame = frame.assign(numerator=wrong, denominator=3)
    plain, runaway = (draw(one, "ratio") for one in (frame, frame.assign(numerator=np.r_[60, wrong[1:]])))
    for drawn in (plain, runaway, contrast((1, runaway), (-1, plain))):
        assert drawn.factors == ()
        assert ends(drawn) == pytest.approx(np.quantile(drawn.draws, (0.025, 0.975)).tolist())
    assert ends(plain) == pytest.approx(
        (plain.value - 0.0125, plain.value + 0.0125), abs=0.006
    )  # 1.96 SE of 1200 words
    assert ends(runaway)[1] == pytest.approx((3 * 60 + wrong.sum()) / 1200, abs=0.03)  # drawn thrice


def test_a_p_value_says_what_the_interval_says():
    drop = counted(8, 1, 168)
    for threshold in (0.0, 0.01, 0.05):
        inside = ends(drop)[0] <= threshold <= ends(drop)[1]
        assert (chance(drop, threshold) > 0.05) == inside
        assert (chance(drop, threshold, "above") < 0.05) == (quantiles(drop, [0.05])[0] > threshold)
        assert (chance(drop, threshold, "below") < 0.05) == (quantiles(drop, [0.95])[0] < threshold)
    assert chance(drop, 0) == pytest.approx(stats.binomtest(8, 9).pvalue, abs=0.015)
    assert chance(counted(0, 0, 50)) == 1
    free = Drawn(0.0, np.arange(-3.0, 97.0), Design(100, 100, 1, 100, 0, "", 100.0))
    assert chance(free, 0.0) == pytest.approx(2 * 5 / 101)  # 4 of 100 draws reach zero
    assert chance(free, 0.0, "above") == pytest.approx(5 / 101)
    assert chance(free, -4.0) == pytest.approx(2 / 101)


def test_recordings_in_effect():
    """Sizes 4, 1 and 1: clips see 4, 4, 4, 4, 1 and 1, which is 3 in the mean; two recordings of three clips."""
    assert crossed(keyword([True] * 6, list("aaaabc"))).effective == pytest.approx(6 / 3)
    assert crossed(keyword([True] * 6, list("aabbcc"))).effective == 3
    assert crossed(keyword([True] * 6)).effective == 6
    several = pd.concat([keyword([True] * 6, list("aaaabc"), seed=s) for s in (0, 1)])
    assert crossed(several).effective == pytest.approx(2)
    mixed = keyword([True] * 4, ["a+b", "b+c", "c+d", "d+a"])
    assert crossed(mixed, Unit(parts="+")).effective == 2  # each of four is in two of four mixtures


def test_changed_clips_are_counted_over_seeds():
    unpruned = pd.concat([keyword(own, seed=s) for s, own in enumerate(([1, 1, 1, 0], [1, 1, 1, 1]))])
    pruned = pd.concat([keyword(own, seed=s) for s, own in enumerate(([0, 1, 1, 1], [0, 0, 1, 1]))])
    a, b = (draw(own, "top1", draws=20) for own in (unpruned, pruned))
    assert contrast((100, a), (-100, b)).changed == (3, 1)
    assert contrast((-1, a), (1, b)).changed == (1, 3)
    assert contrast((0.1, a), (0.2, a), (-0.3, a)).changed == (0, 0)  # rounding is no change
    assert a.changed is None
    tagged = draw(tagging(np.random.default_rng(0), 30, 3), "map", draws=20)
    assert contrast((1, tagged), (-1, tagged)).changed is None


@pytest.mark.parametrize(
    "study",
    [
        Study(clips=100, lost=0.7),
        Study(clips=168, size=2, together=1.0),
        Study(clips=100, terms=4, size=2, together=0.5),
        Study(clips=100, seeds=3, spread=0.3),
        Study("map", clips=100),
    ],
    ids=["one seed", "whole recordings", "four terms", "three seeds", "mAP"],
)
def test_coverage_of_made_studies(study):
    """120 studies at two numbers of changed clips, through the bootstrap itself; benchmarks/coverage.py makes more."""
    for expected in (3.0, 10.0):
        found = simulate(Study(**{**vars(study), "expected": expected}), 120)
        assert found.covered >= 0.93
        assert found.upper >= 0.90


def test_coverage_of_a_map_is_of_test_sets_of_this_size():
    """The truth is the mean over 300 made test sets; of very many clips it would be lower, and is not aimed at."""
    found = simulate(Study("map", clips=100, terms=1), 300)
    assert 0.92 <= found.covered <= 0.98
