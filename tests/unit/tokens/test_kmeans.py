"""k-means on a line against a plain Lloyd iteration, and what follows from it: edges, shares, labels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.errors import UserError
from audioprune.results import published
from audioprune.tokens.kmeans import Line, kmeans, label
from audioprune.tokens.threshold import auto_tau

numbers = st.lists(st.integers(-50, 50).map(lambda v: v / 8), min_size=8, max_size=60)


def distances(values, centres) -> np.ndarray:
    return (np.asarray(values)[:, None] - np.asarray(centres)[None]) ** 2


@settings(deadline=None)
@given(numbers, st.integers(0, 5))
def test_the_result_is_a_fixed_point_of_a_plain_lloyd_step(values, seed):
    k = 3
    if len(set(values)) < k:
        return
    found, values = kmeans(np.array(values), k, seed), np.array(values)
    own = label(values, found.edges)
    assert np.bincount(own, minlength=k).tolist() == list(found.counts)
    nearest = distances(values, found.centres)
    assert nearest[np.arange(len(values)), own] == pytest.approx(nearest.min(axis=1), abs=1e-9)
    for i, centre in enumerate(found.centres):
        if found.counts[i]:
            assert values[own == i].mean() == pytest.approx(centre, abs=1e-9)
    assert (found.edges[0], found.edges[-1]) == pytest.approx((values.min(), values.max()))
    for i, (a, b) in enumerate(pairwise(found.centres)):
        assert found.edges[i + 1] == pytest.approx((a + b) / 2)


@settings(deadline=None)
@given(numbers, st.lists(st.floats(-8, 8), min_size=1, max_size=5, unique=True))
def test_costs_from_running_sums_are_those_of_every_value(values, centres):
    line = Line(np.array(values))
    centres = np.sort(centres)
    cuts = line.cuts(centres)
    assert line.costs(centres, cuts).sum() == pytest.approx(distances(line.x, centres).min(axis=1).sum(), abs=1e-8)


def test_draws_are_in_proportion_to_the_squared_distance():
    line, rng = Line(np.array([0.0, 1.0, 3.0, 6.0])), np.random.default_rng(0)
    drawn = [line.draw(rng, np.array([-line.origin])) + line.origin for _ in range(20000)]  # the centre is 0
    shares = [np.mean(np.isclose(drawn, value)) for value in (0, 1, 3, 6)]
    assert shares == pytest.approx([0, 1 / 46, 9 / 46, 36 / 46], abs=0.012)


def test_five_separate_heaps_are_found_from_any_seed():
    rng = np.random.default_rng(0)
    heaps = [rng.normal(centre, 0.01, size) for centre, size in zip((-2, -1, 0, 1, 3), (10, 20, 30, 40, 100))]
    values = rng.permutation(np.concatenate(heaps)).reshape(8, 25)
    for seed in (123, 0, 1, 2):
        found = kmeans(values, 5, seed)
        assert found.counts == (10, 20, 30, 40, 100)
        assert found.centres == pytest.approx([h.mean() for h in heaps])
        assert found.shares == (0.05, 0.1, 0.15, 0.2, 0.5)
        assert found.truncated == (5, 10, 15, 20, 50)


def test_order_and_copies_change_nothing_and_shares_are_cut_off():
    values = np.random.default_rng(1).normal(size=3000).astype(np.float32)
    assert kmeans(values[::-1]) == kmeans(values)
    thirds = kmeans(np.array([0.0, 0.0, 1.0]), 2)
    assert thirds.truncated == (66, 33)
    assert label(np.array([[-9.0, 0.5, 0.50001, 9.0]]), thirds.edges).tolist() == [[0, 0, 1, 1]]


def test_a_normal_sample_gives_the_known_best_two_levels():
    values = np.random.default_rng(2).normal(size=200_000)
    assert kmeans(values, 2).centres == pytest.approx([-np.sqrt(2 / np.pi), np.sqrt(2 / np.pi)], abs=0.01)


def test_too_few_different_values_are_refused():
    with pytest.raises(UserError, match="5 clusters cannot be made of 2 different values"):
        kmeans(np.array([1.0, 2.0, 2.0]))
    with pytest.raises(ValueError, match="finite"):
        kmeans(np.array([1.0, np.nan]))


def test_auto_tau_with_the_released_ranges_comes_near_to_p0s():
    """Only the range of patch means is released, not that of the pixels, so nearness is all there can be."""
    edges, figure = published.load("clusters"), published.load("figure4")
    edges = edges[edges["metric"] == "mean_cluster_edge"]
    for dataset, own in edges.groupby("dataset"):
        given_tau = figure[(figure["dataset"] == dataset) & (figure["metric"] == "tau")]["value"].item()
        assert auto_tau(own["value"].min(), own["value"].max()) == pytest.approx(given_tau, abs=0.04)
    with pytest.raises(ValueError, match="no bins"):
        auto_tau(1.0, 1.0)
