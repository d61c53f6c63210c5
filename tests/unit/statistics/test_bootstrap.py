"""Bootstrap intervals: against scipy where nothing is clustered, closed forms and brute force where something is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audioprune.statistics.bootstrap import ONE_SEED, Drawn, contrast, draw, note
from audioprune.statistics.crossed import crossed, weights
from audioprune.statistics.intervals import quantiles
from audioprune.statistics.metrics import mean_average_precision
from audioprune.statistics.units import Unit


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


def answers(correct, recordings) -> pd.DataFrame:
    """The same as a ratio, without scores: quick to make."""
    correct = np.asarray(correct, dtype=float)
    return pd.DataFrame(
        {"clip": np.arange(len(correct)), "recording": recordings, "numerator": correct, "denominator": 1.0}
    )


def tagging(rng: np.random.Generator, n: int, classes: int, skill: float = 1.0) -> pd.DataFrame:
    """Multi-label predictions of 17 recordings or fewer; the truth depends on the number of clips alone."""
    truth = np.random.default_rng(n).random((n, classes)) < 0.3
    scores = rng.normal(size=(n, classes)) + skill * truth
    return pd.DataFrame(
        {
            "clip": [f"c{i:04d}" for i in range(n)],
            "recording": [f"r{i % 17}" for i in range(n)],
            "labels": [list(np.flatnonzero(row)) for row in truth],
            "scores": list(scores.astype(np.float32)),
        }
    )


def interval(drawn: Drawn) -> tuple[float, float]:
    low, high = quantiles(drawn, [0.025, 0.975])
    return low, high


def ends(frame: pd.DataFrame, metric: str = "top1", **options) -> tuple[float, float]:
    return interval(draw(frame, metric, **options))


def test_unclustered_accuracy_agrees_with_scipy():
    correct = np.random.default_rng(1).random(300) < 0.8
    low, high = ends(keyword(correct), draws=4000)
    theirs = stats.bootstrap(
        (correct.astype(float),), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert low == pytest.approx(theirs.low, abs=0.006)
    assert high == pytest.approx(theirs.high, abs=0.006)
    spread = 1.96 * np.sqrt(correct.mean() * (1 - correct.mean()) / 300)
    assert high - low == pytest.approx(2 * spread, rel=0.08)


def test_an_unclustered_paired_drop_agrees_with_scipy():
    rng = np.random.default_rng(7)
    base = rng.random(300) < 0.9
    pruned = np.where(rng.random(300) < 0.1, ~base, base)
    found = contrast((100, draw(keyword(base), "top1", draws=4000)), (-100, draw(keyword(pruned), "top1", draws=4000)))
    theirs = stats.bootstrap(
        (base.astype(float), pruned.astype(float)), lambda a, b, axis: 100 * (a.mean(axis) - b.mean(axis)), paired=True,
        vectorized=True, n_resamples=4000, method="percentile", rng=np.random.default_rng(8),
    ).confidence_interval  # fmt: skip
    assert found.value == pytest.approx(100 * (base.mean() - pruned.mean()))
    assert interval(found) == pytest.approx((theirs.low, theirs.high), abs=0.5)


def test_variance_is_that_of_a_mean_of_clusters():
    """k clips in each of R recordings: Var* = sum of (recording mean - mean)^2 / R^2; strata add up."""
    rng = np.random.default_rng(9)
    chance = np.repeat(rng.random(40), 5)
    correct = rng.random(200) < chance
    names = np.repeat([f"r{i:02d}" for i in range(40)], 5)
    means = correct.reshape(40, 5).mean(1)
    found = draw(keyword(correct, names), "top1", draws=20_000)
    assert np.var(found.draws) == pytest.approx(((means - means.mean()) ** 2).sum() / 40**2, rel=0.04)
    speaker = np.repeat(["x", "y"], 100)
    within = draw(keyword(correct, names).assign(speaker=speaker), "top1", unit=Unit(within="speaker"), draws=20_000)
    halves = [((half - half.mean()) ** 2).sum() for half in (means[:20], means[20:])]
    assert np.var(within.draws) == pytest.approx(sum(halves) / 40**2, rel=0.04)
    assert within.value == found.value == pytest.approx(correct.mean())


def test_clips_of_one_recording_move_together():
    """Ten identical clips a recording: the very same interval as with one of them."""
    per_recording = np.random.default_rng(3).random(60) < 0.7
    names = [f"r{i:02d}" for i in range(60)]
    repeated = keyword(np.repeat(per_recording, 10), np.repeat(names, 10))
    assert ends(repeated) == pytest.approx(ends(keyword(per_recording, names)), abs=1e-12)
    naive = ends(keyword(np.repeat(per_recording, 10)))
    assert np.ptp(ends(repeated)) == pytest.approx(np.sqrt(10) * np.ptp(naive), rel=0.15)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.sampled_from(["top1", "map"]))
def test_copies_of_every_clip_change_nothing(seed, copies, metric):
    frame = tagging(np.random.default_rng(seed), 24, 3)
    several = pd.concat([frame.assign(clip=frame["clip"] + f"-{i}") for i in range(copies)])
    assert draw(several, metric, draws=30).draws == pytest.approx(draw(frame, metric, draws=30).draws, abs=1e-12)


def test_recordings_of_unequal_size_are_weighted_by_their_clips():
    """Two recordings of 3 right and 1 wrong clips: a draw gives 0, 3/4 or 1, with chances 1/4, 1/2, 1/4."""
    found = draw(keyword([True, True, True, False], ["a", "a", "a", "b"]), "top1", draws=4000)
    values, counts = np.unique(found.draws, return_counts=True)
    assert values.tolist() == [0.0, 0.75, 1.0]
    assert counts / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)


def test_seeds_are_drawn_too():
    """Clips that agree within a seed but not between: all of the spread is between seeds."""
    together = pd.concat([keyword([good] * 40, seed=s) for s, good in enumerate((True, True, False, True))])
    found = draw(together, "top1", draws=20_000)
    assert np.var(found.draws) == pytest.approx(0.75 * 0.25 / 4, rel=0.03)
    assert np.quantile(found.draws, [0.025, 0.975]).tolist() == [0.25, 1.0]
    low, high = interval(found)
    assert (low, high) == (pytest.approx(0.75 - 1.96 * np.sqrt(0.75 * 0.25 / 4), abs=0.03), 1.0)  # accuracies end at 1
    assert ends(pd.concat([keyword([True, False] * 20, seed=s) for s in range(3)]))[1] < 0.7


def test_folds_are_pooled():
    """Each fold tests other clips; two folds of each seed are one table of that seed."""
    folds = [keyword(np.random.default_rng(f).random(30) < 0.7) for f in (1, 2)]
    folds = [frame.assign(clip=f"f{f}" + frame["clip"]) for f, frame in enumerate(folds)]
    whole = pd.concat(folds, ignore_index=True)
    assert draw(whole, "top1").value == pytest.approx(np.mean([draw(fold, "top1").value for fold in folds]))
    assert draw(whole, "top1").design.clips == 60


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["top1", "map"]))
def test_the_order_of_rows_does_not_matter(seed, metric):
    frame = tagging(np.random.default_rng(seed), 30, 3)
    shuffled = frame.sample(frac=1, random_state=seed % 1000)
    assert np.array_equal(draw(frame, metric, draws=20).draws, draw(shuffled, metric, draws=20).draws)
    assert not np.array_equal(draw(frame, metric, draws=20).draws, draw(frame, metric, draws=20, seed=1).draws)


def test_a_draw_is_the_metric_of_the_drawn_clips():
    """mAP of two seeds against repeating rows by hand."""
    rng = np.random.default_rng(4)
    frames = [tagging(rng, 40, 4).assign(seed=s) for s in (3, 8)]
    found = draw(pd.concat(frames), "map", draws=5)
    ((of_recordings, of_seeds),) = weights(crossed(pd.concat(frames)), 5, 0)
    names = crossed(frames[0]).recordings
    by_hand = []
    for w, v in zip(of_recordings, of_seeds, strict=True):
        times = dict(zip(names, w.astype(int), strict=True))
        rows = [i for i, name in enumerate(frames[0]["recording"]) for _ in range(times[name])]
        own = [frame.iloc[rows] for frame in frames]
        by_seed = [mean_average_precision(np.stack(list(f["scores"])), list(f["labels"])) for f in own]
        by_hand.append(np.average(by_seed, weights=v))
    assert found.draws == pytest.approx(np.array(by_hand), abs=1e-12)


def test_a_ratio_is_of_sums():
    """Word errors over words: 3 of 10 and 1 of 2 are 4 of 12, whatever the clips' own rates."""
    frame = pd.DataFrame({"clip": ["a", "b"], "numerator": [3, 1], "denominator": [10, 2]})
    found = draw(frame, "ratio", draws=2000)
    assert found.value == pytest.approx(4 / 12)
    values, counts = np.unique(found.draws.round(12), return_counts=True)
    assert values == pytest.approx([0.3, 1 / 3, 0.5])
    assert counts / 2000 == pytest.approx([0.25, 0.5, 0.25], abs=0.04)


def test_a_paired_drop_is_narrower_than_unpaired_ones():
    rng = np.random.default_rng(5)
    base = rng.random(400) < 0.8
    worse = base & ~(rng.random(400) < 0.05)
    a, b = draw(keyword(base), "top1"), draw(keyword(worse), "top1")
    drop = contrast((1, a), (-1, b))
    low, high = interval(drop)
    assert drop.value == pytest.approx(base.mean() - worse.mean())
    assert 0 < low < drop.value < high
    lost = 400 * drop.value  # only the clips that changed vary: a seventh of the unpaired variance or less
    assert high - low == pytest.approx(3.92 * np.sqrt(lost + 3) / 403, rel=0.06)
    assert high - low < np.hypot(np.ptp(interval(a)), np.ptp(interval(b))) / np.sqrt(5)
    assert interval(contrast((-1, a), (1, b))) == pytest.approx((-high, -low))


def test_a_difference_of_drops_has_four_terms_of_equal_draws():
    rng = np.random.default_rng(6)
    frames = [tagging(rng, 60, 4, skill) for skill in (1.5, 1.0, 1.5, 0.4)]
    a, b, c, d = (draw(frame, "map", draws=40) for frame in frames)
    found = contrast((1, a), (-1, b), (-1, c), (1, d))
    assert found.value == pytest.approx((a.value - b.value) - (c.value - d.value))
    assert found.draws == pytest.approx((a.draws - b.draws) - (c.draws - d.draws))
    same = contrast((1, a), (-1, a))
    assert (same.value, same.draws.min(), same.draws.max()) == (0, 0, 0)


def test_what_was_drawn_says_what_it_rests_on():
    frame = keyword([True, False] * 10, [f"r{i // 4}" for i in range(20)])
    found = draw(frame, "top1", draws=50).design
    assert (found.clips, found.clusters, found.seeds, found.draws) == (20, 5, 1, 50)
    assert note(found.seeds) == ONE_SEED
    several = draw(pd.concat([frame.assign(seed=i) for i in range(3)]), "top1").design
    assert note(several.seeds) == "3 seeds: intervals cover 2/3 of the variance between seeds"
    assert note(10) == ""


def test_coverage_of_clustered_clips():
    """300 made studies of 60 recordings of 1 to 6 clips: about 95 in 100 intervals hold the truth; naive ones fewer."""
    rng = np.random.default_rng(10)
    held = naive = 0
    for _ in range(300):
        sizes = rng.integers(1, 7, 60)
        chance = np.repeat(rng.beta(1.6, 0.4, 60), sizes)  # mean 0.8
        names = np.repeat(np.arange(60), sizes).astype(str)
        correct = rng.random(len(chance)) < chance
        low, high = ends(answers(correct, names), "ratio", draws=300)
        held += low <= 0.8 <= high
        low, high = ends(answers(correct, ""), "ratio", draws=300)
        naive += low <= 0.8 <= high
    assert 0.94 <= held / 300 <= 0.99  # clips of a recording are less alike than is allowed for
    assert naive < held - 15


def test_coverage_of_recordings_crossed_with_seeds():
    """150 made studies of 12 seeds x 50 clips, each with an effect of its own on the chance."""
    rng, held = np.random.default_rng(11), 0
    for _ in range(150):
        chance = 0.7 + rng.uniform(-0.15, 0.15, 12)[:, None] + rng.uniform(-0.15, 0.15, 50)
        correct = (rng.random((12, 50)) < chance).ravel()
        table = answers(correct, "").assign(clip=np.tile(np.arange(50), 12), seed=np.repeat(np.arange(12), 50))
        low, high = ends(table, "ratio", draws=200)
        held += low <= 0.7 <= high
    assert held / 150 >= 0.91  # the crossed bootstrap errs on the wide side


@pytest.mark.parametrize(("borne", "factor"), [(0.0, 1.7), (0.3, 1.3), (1.0, 1.1)])
def test_mixtures_are_drawn_too_widely_by_the_factor_that_is_said(borne, factor):
    """Standard deviation of the draws over that of the mean itself, of 800 mixtures of two of 300 recordings.

    borne: share of a mixture's variance that is of its recordings. The mean's variance in closed form: that of
    mixtures alone, and of each recording as often as it is mixed.
    """
    rng = np.random.default_rng(0)
    pairs = np.array([rng.choice(300, 2, replace=False) for _ in range(800)])
    often = np.bincount(pairs.ravel(), minlength=300)
    true = (borne / 2 * (often**2).sum() + (1 - borne) * 800) / 800**2
    found = []
    for _ in range(12):
        of_recording, alone = rng.normal(size=300), rng.normal(size=800)
        values = np.sqrt(borne / 2) * of_recording[pairs].sum(1) + np.sqrt(1 - borne) * alone
        frame = answers(values, [f"{a}+{b}" for a, b in pairs])
        found.append(draw(frame, "ratio", unit=Unit(parts="+"), draws=300).draws.var())
    assert np.sqrt(np.mean(found) / true) == pytest.approx(factor, abs=0.06)
    assert "1.1 to 1.7 times too wide" in note(1, Unit(parts="+"))


def test_wrong_input_is_refused():
    frame = keyword([True, False, True])
    with pytest.raises(ValueError, match="same clips"):
        contrast((1, draw(frame, "top1")), (-1, draw(frame.iloc[:2], "top1")))
    with pytest.raises(ValueError, match="equal draws"):
        contrast((1, draw(frame, "top1")), (-1, draw(frame, "top1", seed=1)))
    with pytest.raises(ValueError, match="no bootstrap for metric 'wer'"):
        draw(frame, "wer")
    with pytest.raises(ValueError, match="not finite"):
        draw(frame.assign(scores=[np.array([np.nan, 0.0])] * 3), "top1")
