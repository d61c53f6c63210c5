"""An estimate's interval, bounds, factors and sums, against quantiles that numpy takes of the same draws."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.results.estimate import NAN, Estimate, combined, of_draws
from audioprune.statistics.bootstrap import Design, Drawn

CLIPS = 40
DESIGN = Design(CLIPS, 20, 2, 1000, 0, "these", 20.0)


def drawn(value: float = 0.0, spread: float = 1.0, seed: int = 0, *, design: Design = DESIGN) -> Drawn:
    return Drawn(value, value + spread * np.random.default_rng(seed).normal(size=design.draws), design)


def estimate(value: float, own: Drawn | None, **more) -> Estimate:
    return Estimate(value, own, **{"n": CLIPS, "runs": 4, "seeds": 2, "cells": ("a", "b")} | more)


def test_interval_and_bounds_are_quantiles_of_the_draws():
    own = drawn(3.0)
    found = estimate(3.0, own)
    low, lower, upper, high = np.quantile(own.draws, [0.025, 0.05, 0.95, 0.975])
    assert found.interval == (found.low, found.high) == pytest.approx((low, high))
    assert found.bounds == pytest.approx((lower, upper))
    assert found.error == pytest.approx((high - low) / 3.919928)
    assert found.draws is own.draws
    assert found.design is DESIGN
    assert str(found) == f"3.00 [{low:.2f}, {high:.2f}]"


def test_the_draws_are_moved_to_stand_around_the_value():
    """A mean over runs of unequal size is not the metric of their pooled clips."""
    own = drawn(3.0)
    found = estimate(3.5, own)
    assert found.interval == pytest.approx(np.quantile(own.draws, [0.025, 0.975]) + 0.5)
    assert found.bounds == pytest.approx(np.quantile(own.draws, [0.05, 0.95]) + 0.5)


def test_draws_with_nothing_to_measure_are_left_out():
    own = drawn(3.0)
    own.draws[::3] = np.nan
    left = np.delete(own.draws, np.s_[::3])
    assert estimate(3.0, own).interval == pytest.approx(np.quantile(left, [0.025, 0.975]))
    nothing = Drawn(3.0, np.full(1000, np.nan), DESIGN)
    assert np.isnan(estimate(3.0, nothing).interval).all()


def test_an_accuracy_has_the_interval_of_few_changed_clips():
    """Twenty recordings without one that errs: three more, half of them wrong, Agresti and Coull's way."""
    always = Drawn(100.0, np.full(1000, 100.0), DESIGN, (100.0,))
    share, n = 21.5 / 23, 23
    error = np.sqrt(share * (1 - share) / n)
    assert estimate(100.0, always).interval == pytest.approx((100 * (share - 1.959964 * error), 100.0), abs=1e-4)
    assert estimate(100.0, always).bounds == pytest.approx((100 * (share - 1.644854 * error), 100.0), abs=1e-4)
    assert estimate(103.0, always).low == pytest.approx(3 + 100 * (share - 1.959964 * error), abs=1e-4)  # moved
    free = Drawn(1.0, np.full(1000, 1.0), DESIGN)
    assert estimate(1.0, free).interval == (1.0, 1.0)  # of what has no known ends


def test_one_clip_has_no_interval():
    found = estimate(3.0, drawn(3.0), n=1)
    assert np.isnan([*found.interval, *found.bounds]).all()
    assert not np.isnan(estimate(3.0, drawn(3.0), n=2).interval).any()


def test_without_draws_there_is_a_value_alone():
    found = estimate(3.0, None)
    assert found.value == 3.0
    assert np.isnan([*found.interval, *found.bounds, found.error]).all()
    assert found.design is None
    with pytest.raises(ValueError, match="without draws"):
        _ = found.draws


def test_quartiles_stand_instead_of_an_interval():
    found = Estimate(1.9, None, 9, 1, 1, ("timing",), quartiles=(1.8, 2.1))
    assert found.interval == found.bounds == (1.8, 2.1)
    assert found.times(-2).interval == (-4.2, -3.6)
    assert found.times(-2).value == -3.8


@pytest.mark.parametrize("factor", [100.0, -0.5])
def test_another_unit(factor):
    own = drawn(3.0)
    found = estimate(3.5, own, left_out="some", note="one seed").times(factor)
    draws = factor * (own.draws + 0.5)
    assert found.value == factor * 3.5
    assert found.interval == pytest.approx(np.quantile(draws, [0.025, 0.975]))
    assert found.bounds == pytest.approx(np.quantile(draws, [0.05, 0.95]))
    assert (found.n, found.runs, found.seeds, found.cells) == (CLIPS, 4, 2, ("a", "b"))
    assert (found.left_out, found.note) == ("some", "one seed")
    assert Estimate(3.0, Drawn(3.0, own.draws, DESIGN, (1, -1)), 9, 1, 1).times(factor).drawn.factors == (
        factor,
        -factor,
    )


def test_a_sum_is_taken_draw_by_draw():
    one, two = drawn(3.0, seed=1), drawn(1.0, 2.0, seed=2)
    found = combined(
        (1, estimate(3.5, one, left_out="x")), (-2, estimate(1.0, two, n=30, runs=3, seeds=1, cells=("b", "c")))
    )
    draws = one.draws + 0.5 - 2 * two.draws
    assert found.value == 1.5
    assert found.draws == pytest.approx(one.draws - 2 * two.draws)
    assert found.interval == pytest.approx(np.quantile(draws, [0.025, 0.975]))
    assert found.bounds == pytest.approx(np.quantile(draws, [0.05, 0.95]))
    assert (found.n, found.runs, found.seeds, found.cells, found.left_out) == (30, 3, 1, ("a", "b", "c"), "x")


def test_a_sum_of_one_quantity_with_itself_does_not_spread():
    own = estimate(3.0, drawn(3.0))
    assert combined((1, own), (-1, own)).interval == (0.0, 0.0)


def test_what_terms_leave_out_is_said_once():
    terms = [(1, estimate(1.0, drawn(1.0), left_out=text)) for text in ("x", "", "y", "x")]
    assert combined(*terms).left_out == "x; y"


@pytest.mark.parametrize("other", [drawn(1.0, design=Design(CLIPS, 20, 2, 1000, 0, "others", 20.0)), None])
def test_a_sum_over_other_clips_has_no_interval(other):
    found = combined((1, estimate(3.0, drawn(3.0))), (-1, estimate(1.0, other)))
    assert found.value == 2.0
    assert found.drawn is None
    assert np.isnan([*found.interval, *found.bounds]).all()


def test_a_quantity_of_the_draws_of_another_rests_on_the_same():
    own = estimate(3.0, drawn(3.0), note="one seed", left_out="some")
    found = of_draws(9.0, own.draws**2, own, n=7)
    assert found.interval == pytest.approx(np.quantile(own.draws**2, [0.025, 0.975]))
    assert (found.value, found.n, found.cells, found.note, found.left_out) == (9.0, 7, own.cells, "one seed", "some")
    assert of_draws(9.0, own.draws, own).n == CLIPS
    assert of_draws(9.0, own.draws, estimate(3.0, None)).drawn is None


def test_a_value_that_no_clip_has_is_not_a_number():
    assert np.isnan(estimate(NAN, Drawn(NAN, np.full(1000, np.nan), DESIGN), n=0).interval).all()
