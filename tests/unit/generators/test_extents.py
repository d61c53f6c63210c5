"""Measured extents: tones of known place, noise, and energy that lies inside."""

from __future__ import annotations

import json

import numpy as np
import pytest

from audioprune.audio.truth import bin_hertz, signal_pixels
from audioprune.generators import _extents

N = 40960
NOISE = 0.01 * np.random.default_rng(0).standard_normal(N)


def tone(start: float, end: float, hz: float) -> np.ndarray:
    t = np.arange(N) / 16000
    return np.where((t >= start) & (t < end), np.sin(2 * np.pi * hz * t), 0.0)


def test_a_tones_extent_is_its_own_to_a_cell():
    found = np.array(_extents.extents(tone(0.7, 1.5, 1000.0), NOISE))
    assert 0.7 - 0.105 <= found[:, 0].min() <= 0.7
    assert 1.5 <= found[:, 1].max() <= 1.5 + 0.105
    steady = found[(found[:, 1] > 0.9) & (found[:, 0] < 1.3)]
    # 1 kHz is in the cell of mel bins 40 to 47; the analysis window lets it into the cells beside.
    assert bin_hertz(31.5) - 0.1 <= steady[:, 2].min() <= bin_hertz(39.5) + 0.1
    assert bin_hertz(47.5) - 0.1 <= steady[:, 3].max() <= bin_hertz(55.5) + 0.1


def test_two_tones_are_two_places():
    found = _extents.extents(tone(0.3, 0.8, 500.0) + tone(1.6, 2.2, 4000.0), NOISE)
    pixels = signal_pixels(found, 256)
    assert pixels[50, 24]  # 500 Hz lies at mel bin 24.5
    assert pixels[190, 96]  # 4 kHz at 95.7
    assert not pixels[50, 96]
    assert not pixels[190, 24]
    assert not pixels[110:150].any()


def test_what_is_silent_or_below_the_noise_has_no_extent():
    assert _extents.extents(np.zeros(N), NOISE) == []
    assert _extents.extents(0.01 * NOISE, NOISE) == []
    assert json.loads(_extents.extents_json(np.zeros(N), NOISE)) == []


def test_what_covers_everything_is_one_rectangle():
    (only,) = _extents.extents(100 * NOISE[::-1], NOISE)
    assert only == [0.0, 2.56, 0.0, 8000.0]


def test_rectangles_do_not_overlap_and_cover_the_cells_that_hold_signal():
    rng = np.random.default_rng(3)
    signal = np.zeros(N)
    for _ in range(6):
        start = rng.uniform(0, 2)
        signal += tone(start, start + rng.uniform(0.05, 0.5), rng.uniform(100, 7000))
    found = _extents.extents(signal, NOISE)
    counted = sum(signal_pixels([extent], 254).astype(int) for extent in found)
    assert counted.max() == 1
    cells = _extents.cell_power(signal) > _extents.cell_power(NOISE)
    assert np.array_equal(np.repeat(np.repeat(cells, 8, axis=0)[:254], 8, axis=1), counted > 0)


def test_cell_power_is_parsevals():
    # White noise: mean |FFT|^2 of a Hanning-windowed frame is the variance times the window's energy, in every bin.
    power = _extents.cell_power(np.random.default_rng(0).standard_normal(160000))
    bins = np.diff(np.append(_extents._first_fft_bin(), 257))
    assert bins.sum() == 256  # all but the constant
    assert power.mean(axis=0) / bins == pytest.approx(np.full(16, (np.hanning(400) ** 2).sum()), rel=0.05)


def test_runs():
    assert _extents._runs(np.array([1, 1, 0, 0, 1, 0, 1], dtype=bool)) == [(0, 2), (4, 5), (6, 7)]
    assert _extents._runs(np.zeros(4, dtype=bool)) == []
