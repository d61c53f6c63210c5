"""Retention, attention ratios and their null model: by hand, by brute force, and against the paper's relations."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.facts.tokens import keep_counts
from audioprune.tokens.attention_ratio import attention_ratio, group_of
from audioprune.tokens.null_model import blind_interval
from audioprune.tokens.retention import low_intensity, retention

SIGNAL = np.array([[1, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]], dtype=bool)
ENTERING = np.array([[4, 0, 3, 2], [0, 1, 2, 3], [5, 4, 3, 2]], dtype=np.int16)
KEPT = np.array([[4, 3], [0, 1], [5, 4]], dtype=np.int16)


def test_retention_by_hand():
    found = retention(SIGNAL, ENTERING, KEPT)
    assert found["signal_input"].tolist() == [3, 0, 6]
    assert found["signal_entering"].tolist() == [2, 0, 4]
    assert found["signal_kept"].tolist() == [1, 0, 2]
    assert found["ratio_a"].tolist() == [1 / 4, 0, 2 / 4]
    assert found["ratio_b"][[0, 2]].tolist() == [1 / 3, 2 / 6]
    assert np.isnan(found["ratio_b"][1])  # nothing to keep: to be skipped
    assert np.isnan(found["excess"][1])
    assert found["kept_fraction"].tolist() == [2 / 6] * 3
    assert found["excess"][0] == 0


def test_extra_tokens_are_no_patches():
    found = retention(SIGNAL[:1], np.array([[-1, 4, 0, 3]]), np.array([[-1, 4]]))
    assert [found[name].item() for name in ("entering", "kept", "signal_entering", "signal_kept")] == [3, 1, 2, 1]
    levels = np.array([[0, 0, 1, 4, 3, 2]])
    low = low_intensity(levels, np.zeros((1, 6), dtype=bool), np.array([[-1, 4, 2]]))
    assert (low["low_input"].item(), low["low_kept"].item()) == (3, 1)
    assert (low["low_of_kept"].item(), low["low_of_input"].item()) == (1 / 2, 1 / 3)


@st.composite
def traces(draw, patches=12):
    """Signal, scores and three nested selections of a few clips."""
    n, rng = draw(st.integers(1, 4)), np.random.default_rng(draw(st.integers(0, 10**6)))
    entering = np.stack([rng.permutation(patches) for _ in range(n)])
    counts = keep_counts(draw(st.sampled_from([0.9, 0.7, 0.5, 0.3])), patches, 0, 3)
    return rng.random((n, patches)) < draw(st.floats(0, 1)), rng.random((n, patches)), entering, counts


@settings(deadline=None)
@given(traces())
def test_ratio_a_and_b_are_tied_by_the_signals_share_and_the_counts(trace):
    """Specification 2.2: A of stage i = B of stage i x S / K of stage i - 1, clip by clip."""
    signal, _, entering, counts = trace
    before = entering
    for k in counts:
        found = retention(signal, before, before[:, :k])
        some = signal.any(axis=1)
        expected = found["ratio_b"] * signal.sum(axis=1) / before.shape[1]
        assert found["ratio_a"][some] == pytest.approx(expected[some])
        assert found["ratio_a"] == pytest.approx(
            [sum(s[j] for j in row[:k]) / len(row) for s, row in zip(signal.tolist(), before.tolist(), strict=True)]
        )
        before = before[:, :k]


def test_published_counts_of_the_keep_rates():
    assert keep_counts(0.7, 256, 0, 3) == [180, 126, 89]
    assert keep_counts(0.6, 512, 0, 3) == [308, 185, 111]


def test_groups_of_blocks():
    assert [group_of(block, (3, 6, 9)) for block in range(12)] == [0] * 4 + [1] * 3 + [2] * 3 + [None] * 2
    assert group_of(0, ()) is None


def test_attention_ratio_by_hand():
    scores = np.array([[0.4, 0.1, 0.2, 0.3], [1, 1, 1, 1], [4, 3, 2, 2]], dtype=np.float32)
    found = attention_ratio(scores, ENTERING, KEPT, SIGNAL)
    assert found["gamma_s"][[0, 2]] == pytest.approx([0.4 / 0.2, 3.5 / 2])  # pruned of clip 0: patches 0 and 2
    assert np.isnan(found["gamma_s"][1])
    assert found["gamma_b"][:2] == pytest.approx([0.2 / 0.2, 1.0])
    assert np.isnan(found["gamma_b"][2])  # no background token survives
    assert found["gamma"][0] == pytest.approx(0.3 / 0.2)
    assert [found[f"n_{name}"].tolist() for name in "sbp"] == [[1, 0, 2], [1, 2, 0], [2, 2, 2]]


@settings(deadline=None)
@given(traces())
def test_attention_ratio_by_brute_force(trace):
    signal, scores, entering, counts = trace
    found = attention_ratio(scores, entering, entering[:, : counts[0]], signal)
    for i, (row, score) in enumerate(zip(entering, scores, strict=True)):
        parts: dict[str, list[float]] = {"s": [], "b": [], "p": []}
        for place, number in enumerate(row):
            name = "p" if place >= counts[0] else "s" if signal[i, number] else "b"
            parts[name].append(score[place])
        for name in ("s", "b"):
            if parts[name] and parts["p"]:
                assert found[f"gamma_{name}"][i] == pytest.approx(mean(parts[name]) / mean(parts["p"]))
            else:
                assert np.isnan(found[f"gamma_{name}"][i])


def test_the_blind_interval_has_the_hypergeometric_spread():
    low, high = blind_interval(np.array([5, 0, 5]), 6, 20)  # the clip without signal is skipped
    variance = 6 * (5 / 20) * (15 / 20) * (14 / 19) / 5**2 / 2
    assert (low, high) == pytest.approx((-1.959964 * variance**0.5, 1.959964 * variance**0.5), rel=1e-6)
    assert blind_interval(np.full(9, 20), 6, 20) == (0, 0)  # all patches are signal: B is K / N
    assert np.isnan(blind_interval(np.zeros(3), 6, 20)).all()


def test_blind_selections_fall_into_their_interval_as_often_as_promised():
    rng, sizes = np.random.default_rng(0), np.array([10, 30, 50, 64])
    low, high = blind_interval(sizes, 32, 64, level=0.9)
    drawn = (rng.hypergeometric(sizes, 64 - sizes, 32, (20000, 4)) / sizes).mean(axis=1) - 0.5
    assert np.mean((drawn >= low) & (drawn <= high)) == pytest.approx(0.9, abs=0.02)
