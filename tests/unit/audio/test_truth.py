"""Which patches hold signal: closed forms, and agreement with the front end."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audioprune.audio.fbank import fbank
from audioprune.audio.truth import bin_hertz, bin_position, patch_share, signal_patches, signal_pixels
from audioprune.facts.mel import hertz, mel

EVERYTHING = [[0.0, 100.0, 0.0, 8000.0]]


@pytest.mark.parametrize("b", [0, 1, 17, 64, 127])
def test_a_bins_position_is_the_peak_of_its_triangle(b):
    edges = np.linspace(mel(20), mel(8000), 130)  # triangle b rises from edge b and peaks at edge b + 1
    assert bin_position(hertz(edges[b + 1])) == pytest.approx(b, abs=1e-9)


def test_positions_by_hand():
    # 1 kHz is mel 1127 ln(17/7) = 1000.0; the 128 bins divide mel(8000) - mel(20) = 2808.3 into 129 steps of 21.77.
    assert bin_position(1000.0) == pytest.approx((999.99 - 31.75) / 21.77 - 1, abs=0.02)
    assert round(bin_position(1000.0), 1) == 43.5


@given(st.floats(-1, 128))
def test_hertz_is_the_inverse(position):
    assert bin_position(bin_hertz(position)) == pytest.approx(position, abs=1e-6)


def test_everything_and_nothing():
    assert signal_patches(EVERYTHING, 128).all()
    assert signal_patches(EVERYTHING, 128).shape == (8, 8)
    assert not signal_patches([], 128).any()
    assert not signal_patches([[9.0, 9.5, 100.0, 200.0]], 128).any()


@given(st.integers(0, 15), st.integers(0, 7))
def test_an_extent_inside_one_patch_marks_that_patch_only(t, f):
    # Patch t has the centres of frames 16 t .. 16 t + 15, that is 0.16 t + 0.0125 to 0.16 t + 0.1625 s.
    start, end = 0.16 * t + 0.0125, 0.16 * t + 0.1625
    extent = [start, end, bin_hertz(16 * f), bin_hertz(16 * f + 15)]
    marked = signal_patches([extent], 256)
    assert np.argwhere(marked).tolist() == [[t, f]]
    assert signal_patches([extent], 256, share=1.0)[t, f]


def test_an_extent_across_a_border_marks_both_sides():
    marked = signal_patches([[0.15, 0.18, bin_hertz(14), bin_hertz(17)]], 64)
    assert np.argwhere(marked).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_thin_extent_marks_its_nearest_pixel():
    pixels = signal_pixels([[0.5001, 0.5002, 1000.0, 1000.1]], 128)
    assert np.argwhere(pixels).tolist() == [[49, round(bin_position(1000.05))]]


def test_a_share_is_counted_in_pixels():
    # Frames 0..3 (a quarter of a patch) of all bins.
    quarter = [[0.0, 0.0125 + 0.03, 0.0, 8000.0]]
    assert np.array_equal(patch_share(signal_pixels(quarter, 32)), [[0.25] * 8, [0.0] * 8])
    assert signal_patches(quarter, 32)[0].all()
    assert signal_patches(quarter, 32, share=0.25)[0].all()
    assert not signal_patches(quarter, 32, share=0.26).any()


def test_overlapping_patches():
    marked = signal_patches([[0.0125 + 0.20, 0.0125 + 0.25, 0.0, 8000.0]], 64, patch=16, stride=10)
    assert marked.shape == (5, 12)
    assert marked.all(axis=1).tolist() == [False, True, True, False, False]  # rows 10-25 and 20-35 hold 20-25


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.01, 1), st.floats(20, 4000), st.floats(10, 4000)), max_size=5))
def test_more_extents_never_unmark_a_patch(boxes):
    extents = [[start, start + length, low, low + width] for start, length, low, width in boxes]
    union = np.zeros((16, 8), dtype=bool)
    for extent in extents:
        union |= signal_patches([extent], 256)
    assert np.array_equal(signal_patches(extents, 256), union)


@pytest.mark.parametrize("hz", [150.0, 700.0, 2500.0, 6000.0])
def test_a_tone_burst_lights_the_front_ends_pixels_where_the_truth_says(hz):
    t = np.arange(32000) / 16000
    burst = np.where((t >= 0.6) & (t < 1.1), np.sin(2 * np.pi * hz * t), 0.0)
    noise = 1e-4 * np.random.default_rng(0).standard_normal(len(t))
    energy = fbank(torch.from_numpy((burst + noise).astype(np.float32))[None])[0].numpy()
    lit = energy > energy.max() - 3
    truth = signal_pixels([[0.6, 1.1, hz - 30, hz + 30]], len(energy))
    frames = np.flatnonzero(lit.any(axis=1))
    assert abs(frames[0] - np.flatnonzero(truth.any(axis=1))[0]) <= 1
    assert abs(frames[-1] - np.flatnonzero(truth.any(axis=1))[-1]) <= 1
    assert abs(np.argmax(energy[80]) - bin_position(hz)) <= 0.6
