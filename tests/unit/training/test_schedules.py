"""Schedules against closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.settings.training import Augment, Recipe
from audioprune.training.schedules import effective_lr, keep_rate, learning_rate, masks_on, shrunk


def recipe(**changed) -> Recipe:
    return Recipe(**({"epochs": 120, "batch_size": 128} | changed))


# P0 section 3 and the released schedule, base 0.5, start 20, length 40
STAIRCASE = {0: 1, 19: 1, 20: 1, 21: 0.9992, 30: 0.9268, 40: 0.75, 50: 0.5732, 59: 0.5008, 60: 0.5, 119: 0.5}


@pytest.mark.parametrize(("epoch", "rate"), STAIRCASE.items())
def test_keep_rate_per_epoch(epoch, rate):
    shrinking = recipe(shrink_start=20, shrink_epochs=40)
    assert keep_rate(shrinking, 0.5, epoch) == pytest.approx(rate, abs=5e-5)
    assert keep_rate(shrinking, 0.5, epoch + 0.99) == keep_rate(shrinking, 0.5, epoch)  # a staircase


def test_keep_rate_per_iteration_moves_inside_the_epoch():
    shrinking = recipe(shrink_start=20, shrink_epochs=40, shrink_granularity="iteration")
    assert keep_rate(shrinking, 0.5, 20.0) == 1
    assert keep_rate(shrinking, 0.5, 39.5) == pytest.approx(0.5 + 0.25 * (1 + math.cos(math.pi * 19.5 / 40)))
    assert keep_rate(shrinking, 0.5, 60.0) == 0.5


def test_keep_rate_counts_from_one_for_ast():
    ast = recipe(shrink_start=5, shrink_epochs=15, first_epoch=1)
    assert [keep_rate(ast, 0.7, e) for e in (3, 4)] == [1, 1]  # epochs 4 and 5 of AST's own count
    assert keep_rate(ast, 0.7, 5) == pytest.approx(0.7 + 0.15 * (1 + math.cos(math.pi / 15)))
    assert keep_rate(ast, 0.7, 19) == 0.7
    assert [shrunk(ast, e) for e in (18, 19)] == [False, True]  # first evaluated epoch: its 20th


def test_no_shrinking_means_the_target_at_once():
    assert keep_rate(recipe(), 0.5, 0) == 0.5
    assert keep_rate(recipe(shrink_start=3), 0.5, 2.9) == 1
    assert keep_rate(recipe(shrink_start=3), 0.5, 3) == 0.5


@given(st.floats(0.1, 1), st.integers(0, 30), st.integers(0, 30), st.floats(0, 60), st.floats(0, 60))
def test_keep_rate_never_rises(target, start, length, one, other):
    shrinking = recipe(shrink_start=start, shrink_epochs=length, shrink_granularity="iteration")
    early, late = keep_rate(shrinking, target, min(one, other)), keep_rate(shrinking, target, max(one, other))
    assert target - 1e-12 <= late <= early <= 1


def test_cosine_with_warmup():
    plain = recipe(base_lr=1e-3, min_lr=1e-5, warmup_epochs=4)
    assert learning_rate(plain, 0, 10) == 0
    assert learning_rate(plain, 1, 10) == pytest.approx(2.5e-4)
    assert learning_rate(plain, 3.9, 10) == pytest.approx(9.75e-4)
    assert learning_rate(plain, 4, 10) == pytest.approx(1e-3)
    assert learning_rate(plain, 62, 10) == pytest.approx((1e-3 + 1e-5) / 2)
    assert learning_rate(plain, 120, 10) == pytest.approx(1e-5)


def test_linear_scaling_gives_the_released_peak_rates():
    for batch, peak in ((512, 2e-3), (128, 5e-4), (64, 2.5e-4), (32, 1.25e-4)):  # released scripts, two GPUs
        assert effective_lr(recipe(batch_size=batch, lr_per_256=True)) == pytest.approx(peak)
    assert effective_lr(recipe(batch_size=512)) == 1e-3


def test_ast_steps():
    every = recipe(schedule="step", base_lr=1e-5, warmup_epochs=0, step_start=5, step_every=1, step_factor=0.85)
    assert [learning_rate(every, e, 7) for e in (0, 4.9)] == [1e-5, 1e-5]  # its epochs 1 to 5
    assert learning_rate(every, 5, 7) == pytest.approx(0.85e-5)
    assert learning_rate(every, 7.5, 7) == pytest.approx(1e-5 * 0.85**3)
    half = recipe(schedule="step", base_lr=1e-4, warmup_epochs=0, step_start=10, step_every=5, step_factor=0.5)
    rates = [learning_rate(half, e, 7) for e in (9, 10, 14, 15, 20, 25)]
    assert rates == pytest.approx([1e-4, 5e-5, 5e-5, 2.5e-5, 1.25e-5, 6.25e-6])


def test_warmup_by_steps_wins_over_epochs():
    by_steps = recipe(schedule="constant", base_lr=1e-4, warmup_epochs=4, warmup_steps=1000)
    assert learning_rate(by_steps, 0.5, 500) == pytest.approx(0.25e-4)
    assert learning_rate(by_steps, 1.5, 500) == pytest.approx(0.75e-4)
    assert learning_rate(by_steps, 2, 500) == 1e-4


@pytest.mark.parametrize(
    ("off", "baseline", "target", "early", "late"),
    [
        ("nominal", "matched", 0.5, (True, True), (False, False)),
        ("as_released", "matched", 0.5, (True, True), (True, False)),  # B4
        ("nominal", "paper", 0.5, (True, True), (False, False)),
        ("nominal", "matched", 1.0, (True, True), (False, False)),
        ("nominal", "paper", 1.0, (True, True), (True, True)),  # B7
    ],
)
def test_masks_stop_where_shrinking_begins(off, baseline, target, early, late):
    augment = Augment(specaug_off=off, baseline=baseline)
    shrinking = recipe(shrink_start=20, shrink_epochs=40)
    assert masks_on(shrinking, augment, target, 19) == early
    assert masks_on(shrinking, augment, target, 20) == late
