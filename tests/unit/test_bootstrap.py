"""Bootstrap intervals: against scipy where nothing is clustered, against brute force where something is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score

from audioprune.statistics import bootstrap
from audioprune.statistics.bootstrap import interval, paired_difference


def keyword(correct, recordings=None, seed=None) -> pd.DataFrame:
    """Two-class predictions whose arg-max is right exactly where `correct`."""
    n = len(correct)
    frame = pd.DataFrame(
        {
            "clip": [f"c{i:04d}" for i in range(n)],
            "recording": recordings if recordings is not None else [""] * n,
            "labels": [[1]] * n,
            "scores": [np.array([0.0, 1.0 if c else -1.0], dtype=np.float32) for c in correct],
        }
    )
    return frame if seed is None else frame.assign(seed=seed)


def tagging(rng: np.random.Generator, n: int, classes: int, levels: int = 0) -> pd.DataFrame:
    """Multi-label predictions; `levels` > 0 makes ties."""
    truth = rng.random((n, classes)) < 0.3
    scores = rng.normal(size=(n, classes)) + truth
    scores = np.round(scores * levels) / levels if levels else scores
    return pd.DataFrame(
        {
            "clip": [f"c{i:04d}" for i in range(n)],
            "recording": [f"r{i % 17}" for i in range(n)],
            "labels": [list(np.flatnonzero(row)) for row in truth],
            "scores": list(scores.astype(np.float32)),
        }
    )


def test_unclustered_accuracy_agrees_with_scipy():
    correct = np.random.default_rng(1).random(300) < 0.8
    low, high = interval(keyword(correct), "top1", draws=4000)
    theirs = stats.bootstrap(
        (correct.astype(float),), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert low == pytest.approx(theirs.low, abs=0.006)
    assert high == pytest.approx(theirs.high, abs=0.006)
    spread = 1.96 * np.sqrt(correct.mean() * (1 - correct.mean()) / 300)
    assert high - low == pytest.approx(2 * spread, rel=0.08)


def test_clips_of_one_recording_move_together():
    """Ten identical clips a recording: the interval is that of the recordings, sqrt(10) times as wide as naive."""
    per_recording = np.random.default_rng(3).random(60) < 0.7
    correct = np.repeat(per_recording, 10)
    names = np.repeat([f"r{i}" for i in range(60)], 10)
    clustered = interval(keyword(correct, names), "top1")
    naive = interval(keyword(correct), "top1")
    single = interval(keyword(per_recording, [f"r{i}" for i in range(60)]), "top1")
    assert np.ptp(clustered) == pytest.approx(np.sqrt(10) * np.ptp(naive), rel=0.15)
    assert np.ptp(clustered) == pytest.approx(np.ptp(single), rel=0.1)


def test_recordings_of_unequal_size_are_weighted_by_their_clips():
    """Two recordings of 3 right and 1 wrong clips: a draw gives 0, 3/4 or 1, with chances 1/4, 1/2, 1/4."""
    frame = keyword([True, True, True, False], ["a", "a", "a", "b"])
    drawn = bootstrap._drawn(bootstrap._clusters(frame), "top1", 4000, 0)
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [0.0, 0.75, 1.0]
    assert counts / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)


def test_seeds_are_drawn_too():
    """Clips that agree within a seed but not between: all of the spread is between seeds, where averages vary."""
    frames = [keyword([good] * 40, seed=s) for s, good in enumerate((True, True, False, True))]
    together = pd.concat(frames)
    low, high = interval(together, "top1", draws=4000)
    assert (low, high) == (0.25, 1.0)
    assert interval(pd.concat([keyword([True, False] * 20, seed=s) for s in range(3)]), "top1")[1] < 0.7


def test_the_same_seed_gives_the_same_interval_whatever_the_order_of_rows():
    rng = np.random.default_rng(4)
    frame = tagging(rng, 80, 5)
    shuffled = frame.sample(frac=1, random_state=0)
    for metric in ("top1", "map"):
        assert interval(frame, metric, draws=150) == interval(shuffled, metric, draws=150)
        assert interval(frame, metric, draws=150) != interval(frame, metric, draws=150, seed=1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 3]))
def test_weighted_average_precision_is_that_of_repeated_clips(seed, levels):
    """A clip drawn twice counts as two clips; classes without positives stay out; ties are one threshold."""
    rng = np.random.default_rng(seed)
    frame = tagging(rng, 30, 4, levels)
    data = bootstrap._clusters(frame)
    weights, ones = bootstrap._counts(rng, 3, len(data.names)), np.ones((3, 1))
    ours = bootstrap._map(data)(weights, ones)
    for row, value in zip(weights, ours, strict=True):
        repeats = np.repeat(np.arange(30), row[data.recording[0]].astype(int))
        truth = np.array([[c in own for c in range(4)] for own in data.labels[0]])[repeats]
        kept = [c for c in range(4) if truth[:, c].any()]
        theirs = [average_precision_score(truth[:, c], data.scores[0][repeats, c]) for c in kept]
        assert value == pytest.approx(np.mean(theirs), abs=1e-12)


def test_a_paired_difference_is_narrower_than_unpaired_ones():
    rng = np.random.default_rng(5)
    base = rng.random(400) < 0.8
    worse = base & ~(rng.random(400) < 0.05)
    a, b = keyword(worse), keyword(base)
    difference = paired_difference(a, b, "top1")
    assert difference.value == pytest.approx(worse.mean() - base.mean())
    assert difference.low < difference.value < difference.high < 0
    share = -difference.value  # only the clips that changed vary: a tenth of the unpaired variance or less
    assert difference.high - difference.low == pytest.approx(3.92 * np.sqrt(share * (1 - share) / 400), rel=0.1)
    assert difference.high - difference.low < 0.55 * np.ptp(interval(a, "top1"))
    flipped = paired_difference(b, a, "top1")
    assert (flipped.low, flipped.high) == pytest.approx((-difference.high, -difference.low))


def test_a_difference_with_itself_is_nothing():
    frame = tagging(np.random.default_rng(6), 50, 3)
    assert paired_difference(frame, frame, "map", draws=50) == (0, 0, 0)


def test_wrong_input_is_refused():
    frame = keyword([True, False, True])
    with pytest.raises(ValueError, match="same clips"):
        paired_difference(frame, frame.iloc[:2], "top1")
    with pytest.raises(ValueError, match="no bootstrap for metric 'wer'"):
        interval(frame, "wer")
    with pytest.raises(ValueError, match="level 95"):
        interval(frame, "top1", level=95)
    with pytest.raises(ValueError, match="twice"):
        interval(pd.concat([frame, frame]), "top1")
    broken = frame.assign(scores=[np.array([np.nan, 0.0])] * 3)
    with pytest.raises(ValueError, match="not finite"):
        interval(broken, "top1")
