from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.audio.noise import LOUDEST, add_noise


def tone(amplitude: float, length: int = 4000) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 440 * np.arange(length) / 16000)).astype(np.float32)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 20.0])
def test_ratio_is_exact(snr_db):
    clean = tone(0.05)
    noise = add_noise(clean, snr_db, seed=3).astype(np.float64) - clean
    assert 10 * np.log10(np.mean(clean.astype(np.float64) ** 2) / np.mean(noise**2)) == pytest.approx(snr_db, abs=1e-3)


def test_noise_depends_on_seed_and_nothing_else():
    clean = tone(0.05)
    first = add_noise(clean, 10, seed=1)
    assert first.dtype == np.float32
    assert np.array_equal(first, add_noise(clean, 10, seed=1))
    assert not np.array_equal(first, add_noise(clean, 10, seed=2))
    quieter = add_noise(clean / 2, 10, seed=1)
    assert np.allclose(quieter, first / 2, atol=1e-7)  # same noise, scaled with the clip


def test_a_loud_clip_is_scaled_as_a_whole():
    clean = tone(0.99)
    noisy = add_noise(clean, 0, seed=0)
    assert np.abs(noisy).max() == pytest.approx(LOUDEST, abs=1e-6)
    unscaled = add_noise(clean / 8, 0, seed=0) * 8
    scale = noisy @ unscaled / (unscaled @ unscaled)
    assert scale < 1
    assert np.allclose(noisy, scale * unscaled, atol=1e-6)


def test_silence_and_nothing_come_back_unchanged():
    assert np.array_equal(add_noise(np.zeros(10, np.float32), 10, seed=0), np.zeros(10))
    assert add_noise(np.zeros(0, np.float32), 10, seed=0).shape == (0,)


@given(st.integers(0, 2**64 - 1), st.floats(-20, 40), st.floats(1e-3, 1))
def test_never_clips(seed, snr_db, amplitude):
    assert np.abs(add_noise(tone(amplitude, 200), snr_db, seed)).max() <= LOUDEST + 1e-7
