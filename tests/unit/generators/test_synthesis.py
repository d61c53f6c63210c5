"""Noises, oscillators, envelopes, resampling: against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.generators import _synthesis as s


def power_between(x: np.ndarray, low: float, high: float) -> float:
    f = np.fft.rfftfreq(len(x), 1 / 16000)
    power = np.abs(np.fft.rfft(x)) ** 2
    return float(power[(f >= low) & (f < high)].sum() / power.sum())


def test_a_stream_depends_on_its_seed_and_every_part_of_its_path():
    first = s.stream(0, "sounds", "clip", 1).standard_normal(4)
    assert np.array_equal(first, s.stream(0, "sounds", "clip", 1).standard_normal(4))
    for other in ((1, "sounds", "clip", 1), (0, "words", "clip", 1), (0, "sounds", "clip", 11)):
        assert not np.any(first == s.stream(*other).standard_normal(4))


def test_an_oscillator_of_constant_frequency_is_a_sine():
    t = np.arange(1, 1601) / 16000
    assert np.allclose(s.oscillate(np.full(1600, 440.0), 0.25), np.sin(2 * np.pi * (440 * t + 0.25)), atol=1e-9)


def test_harmonics_are_a_weighted_sum_without_what_would_alias():
    t = np.arange(1, 1601) / 16000
    expected = np.sin(2 * np.pi * 3000 * t) + 0.5 * np.sin(2 * np.pi * 6000 * t)
    assert np.allclose(s.harmonics(np.full(1600, 3000.0), (1, 0.5, 0.9)), expected, atol=1e-9)


def test_decay_is_60_db_after_its_time_and_ends_at_nothing():
    envelope = s.decay(16000, 0.5, attack=0.01)
    assert envelope[8000] == pytest.approx(1e-3, rel=1e-3)
    assert envelope[0] == 0
    assert envelope[80] == pytest.approx(0.5 * 10 ** (-3 * 0.005 / 0.5), rel=1e-3)
    assert envelope[-1] < 1e-7


@given(st.integers(2, 500), st.floats(0.01, 0.5))
def test_a_window_is_symmetric_positive_and_at_most_one(n, fade):
    w = s.window(n, fade)
    assert np.array_equal(w, w[::-1])
    assert w.min() > 0
    assert w.max() <= 1


def test_a_half_window_is_hanns():
    k = np.arange(100)
    assert np.allclose(s.window(100), np.sin(np.pi * (k + 0.5) / 100) ** 2)


@pytest.mark.parametrize(("low", "high"), [(100, 400), (1000, 2000), (4000, 7000)])
def test_band_noise_stays_in_its_band_and_has_unit_rms(low, high):
    x = s.band_noise(np.random.default_rng(0), 32768, low, high)
    assert np.sqrt(np.mean(x**2)) == pytest.approx(1)
    assert power_between(x, low, high) > 0.8
    assert power_between(x, low / 1.13, high * 1.13) > 0.999


@pytest.mark.parametrize(("exponent", "ratio"), [(0, 2.0), (1, 1.0), (2, 0.5)])
def test_noise_colours_by_the_power_of_neighbouring_octaves(exponent, ratio):
    x = s.coloured_noise(np.random.default_rng(0), 1 << 17, exponent)
    assert power_between(x, 2000, 4000) / power_between(x, 1000, 2000) == pytest.approx(ratio, rel=0.05)


def test_a_flat_channel_changes_nothing_and_a_random_one_is_bounded_by_its_knots():
    x = np.random.default_rng(0).standard_normal(5000)
    assert np.allclose(s.equalise(np.random.default_rng(1), x, 0.0), x)
    impulse = np.zeros(4096)
    impulse[0] = 1
    gains = np.random.default_rng(1).normal(0, 3, 8)
    response_db = 20 * np.log10(np.abs(np.fft.rfft(s.equalise(np.random.default_rng(1), impulse, 3.0))))
    assert response_db.max() <= gains.max() + 1e-9
    assert response_db.min() >= gains.min() - 1e-9
    k = int(np.argmin(np.abs(np.fft.rfftfreq(4096, 1 / 16000) - np.geomspace(60, 8000, 8)[5])))
    assert response_db[k] == pytest.approx(gains[5], abs=0.1)


@given(st.integers(10, 3000), st.floats(0.1, 50), st.integers(0, 10))
def test_a_slow_curve_stays_within_one(n, rate, seed):
    x = s.slow(np.random.default_rng(seed), n, rate)
    assert x.shape == (n,)
    assert np.abs(x).max() <= 1 + 1e-12


def test_a_slow_curve_is_smooth():
    x = s.slow(np.random.default_rng(0), 16000, 4)
    assert np.abs(np.diff(x)).max() < np.pi * 4 * 2 / 16000
    assert x.std() > 0.2


def test_pieces_are_added_and_cut_at_the_end():
    total = np.ones(5)
    s.add_at(total, np.array([1.0, 2.0, 3.0]), 3)
    assert total.tolist() == [1, 1, 1, 2, 3]
    s.add_at(total, np.ones(2), 9)
    assert total.tolist() == [1, 1, 1, 2, 3]


def test_active_rms_leaves_pauses_out():
    x = np.zeros(16000)
    x[3200:6400] = 0.5 * np.sqrt(2) * np.sin(2 * np.pi * 500 * np.arange(3200) / 16000)
    assert s.active_rms(x) == pytest.approx(0.5, rel=1e-6)
    assert np.sqrt(np.mean(s.unit(x) ** 2)) == pytest.approx(1)
    assert np.array_equal(s.unit(np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100])
def test_resampling_keeps_a_windowed_tone(rate):
    def tone(fs, n):
        t = np.arange(n) / fs
        return np.sin(np.pi * np.clip(t / 0.5, 0, 1)) ** 4 * np.sin(2 * np.pi * 1000 * t)

    out = s.resample(tone(rate, rate // 2), rate)
    assert len(out) == pytest.approx(8000, abs=320)
    assert np.abs(out - tone(16000, len(out))).max() < 1e-4


def test_resampling_drops_what_the_lower_rate_cannot_hold():
    t = np.arange(22050) / 22050
    high = np.sin(np.pi * t) ** 4 * np.sin(2 * np.pi * 9000 * t)
    assert np.abs(s.resample(high, 22050)).max() < 1e-6


@given(st.integers(1, 400), st.integers(0, 9))
def test_resampling_to_the_same_rate_changes_nothing(n, seed):
    x = np.random.default_rng(seed).standard_normal(n)
    if n % 2 == 0:  # of an odd length the last bin has no partner
        assert np.allclose(s.resample(x, 16000), x)
    assert len(s.resample(x, 16000)) == n


@given(st.floats(0.001, 50), st.integers(0, 20))
def test_a_finished_wave_lies_on_the_int16_grid_below_its_peak(scale, seed):
    x = np.random.default_rng(seed).standard_normal(300) * scale
    done = s.finish(x)
    assert done.dtype == np.float32
    steps = done.astype(np.float64) * 32768
    assert np.array_equal(steps, np.round(steps))
    assert np.abs(steps).max() <= 0.9 * 32768 + 1
    expected = x * min(1, 0.9 / np.abs(x).max())
    assert np.abs(done - expected).max() <= 0.5 / 32768 + 1e-7


@given(st.integers(1, 200_000))
def test_fft_lengths_are_long_enough_and_not_much_longer(n):
    size = s._fast_size(n)
    assert n <= size <= n * 1.125 + 1
