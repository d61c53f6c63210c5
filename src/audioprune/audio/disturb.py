"""Noise, reverberation and gain on a waveform, before the front end: exact in level, and never clipped or rescaled.

x is a clip of L samples at 16 kHz and v its noise, each without its own mean, as the front end has it. A mixture is
x + g v with g = sqrt(P_x / (P_v 10^(SNR / 10))), P_v the mean square of v over the clip's samples; v does not depend on
the signal-to-noise ratio. Everything is float64.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

from audioprune.facts.mel import SAMPLE_RATE, SHIFT, WINDOW

Power = Literal["clip", "active"]
ACTIVE_DB = 40  # frames that far below the loudest one are not active
DIRECT = round(0.0025 * SAMPLE_RATE)  # samples between the direct sound and the tail of a room


def digest(*parts: object) -> int:
    """256 bits of what is named: the seed of a realisation, or a place among sources."""
    return int.from_bytes(hashlib.sha256("\t".join(map(str, parts)).encode()).digest(), "big")


def centred(x: np.ndarray) -> np.ndarray:
    """A waveform (L,) without its mean."""
    x = np.asarray(x, dtype=np.float64)
    return x - x.mean()


def power_of(x: np.ndarray, how: Power = "clip") -> float:
    """Mean square of all samples (L,), or of frames of 25 ms every 10 ms within 40 dB of the loudest of them."""
    if how == "clip" or len(x) < WINDOW:
        return float(np.mean(x**2))
    frames = np.lib.stride_tricks.sliding_window_view(x**2, WINDOW)[::SHIFT].mean(axis=1)
    return float(frames[frames >= frames.max() * 10 ** (-ACTIVE_DB / 10)].mean())


def factor(x: np.ndarray, v: np.ndarray, snr_db: float, how: Power = "clip") -> float:
    """g, by which the noise is multiplied. ValueError where the clip or the noise has no power."""
    signal, noise = power_of(x, how), power_of(v)
    if not signal or not noise:
        raise ValueError("a clip or a noise without power has no signal-to-noise ratio")
    return float(np.sqrt(signal / (noise * 10 ** (snr_db / 10))))


def louder(x: np.ndarray, snr_db: float) -> np.ndarray:
    """The clip with the power that the mixture is expected to have: the gain control."""
    return x * np.sqrt(1 + 10 ** (-snr_db / 10))


def white(rng: np.random.Generator, length: int) -> np.ndarray:
    return centred(rng.standard_normal(length))


def pink(rng: np.random.Generator, length: int) -> np.ndarray:
    """Power falls as 1 / f: white noise whose spectrum is divided by the root of the frequency, 0 Hz left out."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum[0] = 0
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    return np.fft.irfft(spectrum, n=length)


def looped(rng: np.random.Generator, source: np.ndarray, length: int) -> np.ndarray:
    """`length` samples of a source from a random place on, from its beginning again where it ends."""
    return centred(source[(rng.integers(len(source)) + np.arange(length)) % len(source)])


def babble(rng: np.random.Generator, voices: Sequence[np.ndarray], length: int) -> np.ndarray:
    """Several voices at once, equally loud where they are active."""
    parts = [looped(rng, voice / np.sqrt(power_of(voice, "active")), length) for voice in voices]
    return centred(np.sum(parts, axis=0))


def room(rng: np.random.Generator, t60: float) -> np.ndarray:
    """Impulse response of a room: the direct sound, and from 2.5 ms on a Gaussian tail of the same energy that falls by
    60 dB in `t60` seconds, where it ends."""
    after = np.arange(round(t60 * SAMPLE_RATE))
    tail = rng.standard_normal(len(after)) * 10 ** (-3 * after / (t60 * SAMPLE_RATE))
    return np.concatenate([[1.0], np.zeros(DIRECT - 1), tail / np.sqrt((tail**2).sum())])


def reverberant(x: np.ndarray, response: np.ndarray) -> np.ndarray:
    """The clip (L,) in a room, as long and as powerful as it was."""
    from scipy.signal import fftconvolve

    y = centred(fftconvolve(x, response)[: len(x)])
    return y * np.sqrt(power_of(x) / power_of(y))
