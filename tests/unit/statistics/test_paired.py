"""Tests of a difference between two methods: binomial tables, brute force, and each against the other."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audioprune.statistics.bootstrap import ONE_SEED
from audioprune.statistics.metrics import mean_average_precision
from audioprune.statistics.paired import permutation
from audioprune.statistics.units import Unit
from tests.unit.statistics.test_bootstrap import answers, keyword, tagging


def mcnemar(first, second) -> float:
    """p of the clips that one method has right and the other wrong."""
    only = [int((a & ~b).sum()) for a, b in ((first, second), (second, first))]
    return stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0


def test_by_hand():
    """One clip for the first, nine for the second: 2 (1 + 10) / 2^10."""
    first = [True] + [False] * 9 + [True] * 20
    second = [False] + [True] * 9 + [True] * 20
    found = permutation(keyword(first), keyword(second), "top1")
    assert found.p == pytest.approx(22 / 1024)
    assert found.estimate == pytest.approx(-8 / 30)
    assert (found.clips, found.clusters, found.seeds, found.note) == (30, 30, 1, ONE_SEED)
    assert permutation(keyword(first), keyword(first), "top1").p == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=6, max_size=60))
def test_without_clusters_the_permutation_is_mcnemars_test(pairs):
    first, second = np.array(pairs).T
    found = permutation(keyword(first), keyword(second), "top1")
    assert found.estimate == pytest.approx(first.mean() - second.mean())
    assert found.p == pytest.approx(mcnemar(first, second))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_recordings_are_exchanged_as_a_whole(seed):
    """Against all sign flips of the recordings' differences, over two seeds."""
    rng = np.random.default_rng(seed)
    names = [f"r{i}" for i in [*range(6), *rng.integers(0, 8, 14)]]
    a, b = rng.random((2, 2, 20)) < 0.6
    first, second = (pd.concat([keyword(own, names, seed=s) for s, own in enumerate(side)]) for side in (a, b))
    by_name = {n: sum(a[:, i].sum() - b[:, i].sum() for i in range(20) if names[i] == n) for n in set(names)}
    sums = [abs(np.dot(signs, list(by_name.values()))) for signs in product((1, -1), repeat=len(by_name))]
    found = permutation(first, second, "top1")
    assert found.p == pytest.approx(np.mean(np.array(sums) >= abs(sum(by_name.values()))))
    assert found.estimate == pytest.approx(sum(by_name.values()) / 40)
    assert (found.clusters, found.seeds, found.clips) == (len(by_name), 2, 20)


def test_clips_that_share_a_recording_are_linked():
    """Mixtures a+b and b+c cannot be exchanged apart; d to h alone can: six groups, the first of three clips."""
    names = ["a+b", "b+c", "c", *"defgh"]
    first, second = keyword([True] * 8, names), keyword([False] * 8, names)
    found = permutation(first, second, "top1", unit=Unit(parts="+"))
    assert (found.clusters, found.p, found.why) == (6, 2 / 2**6, "")
    assert permutation(first, second, "top1").p == pytest.approx(2 / 2**8)


@pytest.mark.parametrize("metric", ["top1", "map", "ratio"])
def test_five_groups_cannot_be_tested(metric):
    """The best model against the worst, on 100 mixtures of 5 folds: p could not fall below 1/16."""
    names = [f"{fold}{i % 4}+{fold}{(i + 1) % 4}" for fold in "abcde" for i in range(20)]
    first, second = (
        keyword([good] * 100, names).assign(numerator=1.0 * good, denominator=1.0) for good in (True, False)
    )
    found = permutation(first, second, metric, unit=Unit(parts="+"), draws=20)
    assert (found.p, found.clusters) == (None, 5)
    assert found.why == "5 groups of recordings: no p-value below 0.062 is possible"
    if metric != "map":
        assert found.estimate == 1
    six = [name.replace("e", "f") if i > 90 else name for i, name in enumerate(names)]
    assert permutation(
        first.assign(recording=six), second.assign(recording=six), metric, unit=Unit(parts="+"), draws=20
    ).p


def test_map_is_exchanged_by_recording():
    """Against exchanging scores by hand in all ways."""
    rng = np.random.default_rng(0)
    frames = [tagging(rng, 24, 3, skill) for skill in (1.6, 0.8)]
    frames = [frame.assign(recording=[f"r{i % 6}" for i in range(24)]) for frame in frames]
    a, b = (np.stack(list(frame["scores"])) for frame in frames)
    labels, group = list(frames[0]["labels"]), np.arange(24) % 6
    values = []
    for flips in product((False, True), repeat=6):
        flipped = np.array(flips)[group][:, None]
        sides = np.where(flipped, b, a), np.where(flipped, a, b)
        values.append(np.subtract(*(mean_average_precision(side, labels) for side in sides)))
    found = permutation(*frames, "map", draws=6000)
    assert found.estimate == pytest.approx(values[0])
    assert found.p == pytest.approx(np.mean(np.abs(values) >= abs(values[0]) - 1e-12), abs=0.02)
    assert permutation(frames[0], frames[0], "map", draws=20).p == 1


def test_ratios():
    """Whole numbers are exact; others are drawn; other denominators are not comparable."""
    first = pd.DataFrame({"clip": list("abcdef"), "numerator": [3, 2, 4, 1, 2, 1], "denominator": [5] * 6})
    second = first.assign(numerator=[1, 1, 1, 0, 1, 0])
    found = permutation(first, second, "ratio")
    assert (found.estimate, found.p) == (pytest.approx(9 / 30), pytest.approx(2 / 64))
    halves = permutation(first.assign(numerator=first["numerator"] / 4), second.assign(numerator=0.0), "ratio")
    assert halves.p == pytest.approx(2 / 64, abs=0.015)
    assert halves.method.endswith("2000 draws")
    with pytest.raises(ValueError, match="same denominators"):
        permutation(first, second.assign(denominator=6), "ratio")


def test_false_alarms_are_as_rare_as_they_say():
    """300 pairs of methods that do not differ, clips of a recording alike: at most about 5 in 100 have p <= 0.05."""
    rng, alarms, naive = np.random.default_rng(1), 0, 0
    for _ in range(300):
        a, b = (np.repeat(rng.random(40) < 0.7, 4) for _ in range(2))
        names = np.repeat(np.arange(40), 4).astype(str)
        alarms += permutation(answers(a, names), answers(b, names), "ratio").p <= 0.05
        naive += mcnemar(a, b) <= 0.05
    assert alarms <= 27  # the mean is at most 15, its spread 3.8
    assert naive > 60


def test_other_clips_or_metrics_are_refused():
    frame = keyword([True, False, True])
    with pytest.raises(ValueError, match="same clips"):
        permutation(frame, frame.iloc[:2], "top1")
    with pytest.raises(ValueError, match="no bootstrap for metric 'wer'"):
        permutation(frame, frame, "wer")
