"""Building blocks of generated audio: noises, oscillators, envelopes, placing, levels. Pure numpy, 16 kHz, float64.

Everything random comes from a generator that `stream` makes from a seed and a path of names, so a clip depends on its
own seed and number only. Work is done in float64 and ends on the int16 grid (`finish`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import numpy as np

from audioprune.facts.mel import SAMPLE_RATE


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """An independent random generator for each (seed, path), such as stream(0, "sounds", "clip", 17)."""
    name = "/".join(map(str, (seed, *path)))
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")))


def samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def oscillate(frequency: np.ndarray, phase: float = 0.0) -> np.ndarray:
    """A sine whose frequency in Hz is given for every sample (n,)."""
    return np.sin(2 * np.pi * (np.cumsum(frequency) / SAMPLE_RATE + phase))


def harmonics(frequency: np.ndarray, amplitudes: Iterable[float]) -> np.ndarray:
    """Sum of partials k = 1, 2, ... of a moving fundamental (n,); partials that would pass 7.8 kHz are left out."""
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    highest = frequency.max()
    total = np.zeros(len(frequency))
    for k, amplitude in enumerate(amplitudes, start=1):
        if k * highest < 7800 and amplitude:
            total += amplitude * np.sin(k * phase)
    return total


def decay(n: int, seconds: float, attack: float = 0.002) -> np.ndarray:
    """Linear attack, then exponential decay: down by 60 dB after `seconds`; faded to 0 over the last 5 ms."""
    t = np.arange(n) / SAMPLE_RATE
    return np.minimum(t / attack, 1) * np.exp(-6.9078 * t / seconds) * np.clip((n - np.arange(n)) / 80, 0, 1)


def window(n: int, fade: float = 0.5) -> np.ndarray:
    """Raised-cosine fades over the share `fade` of n samples at each end, 1 between (fade 0.5: a Hann window)."""
    edge = max(int(n * fade), 1)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / edge)
    ramp = np.where(np.arange(n) < edge, rise, 1.0)
    return np.minimum(ramp, ramp[::-1])


def shaped_noise(rng: np.random.Generator, n: int, gain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Gaussian noise (n,) of unit RMS with amplitude response gain(frequency in Hz) -> (bins,)."""
    size = _fast_size(n)
    spectrum = np.fft.rfft(rng.standard_normal(size)) * gain(np.fft.rfftfreq(size, 1 / SAMPLE_RATE))
    return unit(np.fft.irfft(spectrum, size)[:n])


def band_noise(rng: np.random.Generator, n: int, low: float, high: float) -> np.ndarray:
    """Noise of unit RMS between low and high Hz, with edges a sixth of an octave wide."""
    return shaped_noise(rng, n, lambda f: _edge(f / low) * _edge(high / np.maximum(f, 1)))


def coloured_noise(rng: np.random.Generator, n: int, exponent: float) -> np.ndarray:
    """Noise of unit RMS with power ~ 1 / f^exponent above 40 Hz (0 white, 1 pink, 2 brown)."""
    return shaped_noise(rng, n, lambda f: np.maximum(f, 40.0) ** (-exponent / 2))


def equalise(rng: np.random.Generator, x: np.ndarray, spread_db: float) -> np.ndarray:
    """A random smooth channel: gains with a spread of `spread_db` at eight frequencies, joined in log frequency."""
    knots = np.geomspace(60, 8000, 8)
    gains_db = rng.normal(0, spread_db, 8)
    size = _fast_size(len(x))
    f = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 1)
    response = 10 ** (np.interp(np.log(f), np.log(knots), gains_db) / 20)
    return np.fft.irfft(np.fft.rfft(x, size) * response, size)[: len(x)]


def slow(rng: np.random.Generator, n: int, rate: float) -> np.ndarray:
    """A smooth random curve (n,) in [-1, 1] that moves about `rate` times a second."""
    knots = max(int(n / SAMPLE_RATE * rate) + 2, 3)
    values = rng.uniform(-1, 1, knots)
    position = np.linspace(0, knots - 1, n)
    left = np.minimum(position.astype(int), knots - 2)
    blend = 0.5 - 0.5 * np.cos(np.pi * (position - left))
    return values[left] * (1 - blend) + values[left + 1] * blend


def add_at(total: np.ndarray, piece: np.ndarray, start: int) -> None:
    """Add `piece` into `total` from sample `start` on, in place; what hangs over the end is cut."""
    piece = piece[: max(len(total) - start, 0)]
    total[start : start + len(piece)] += piece


def unit(x: np.ndarray) -> np.ndarray:
    """Scaled to an RMS of 1; silence stays silence."""
    rms = np.sqrt(np.mean(x**2))
    return x / rms if rms > 0 else x


def active_rms(x: np.ndarray, frame: int = 320) -> float:
    """RMS over the 20 ms frames within 20 dB of the loudest one: the level of a sound, not of its pauses."""
    padded = np.pad(x, (0, -len(x) % frame))
    power = np.mean(padded.reshape(-1, frame) ** 2, axis=1)
    return float(np.sqrt(np.mean(power[power >= 0.01 * power.max()])))


def resample(x: np.ndarray, rate: int, target: int = SAMPLE_RATE) -> np.ndarray:
    """Band-limited change of sampling rate of a piece that begins and ends in silence: the spectrum is cut, or padded.

    The length is first padded with zeros to a whole number of periods, so that the ratio is exact.
    """
    common = int(np.gcd(rate, target))
    up, down = target // common, rate // common
    blocks = -(-len(x) // down)
    spectrum = np.fft.rfft(x, blocks * down)
    bins = blocks * up // 2 + 1
    out = np.zeros(bins, dtype=complex)
    out[: min(bins, len(spectrum))] = spectrum[:bins]
    return np.fft.irfft(out, blocks * up) * (up / down)


def finish(x: np.ndarray, peak: float = 0.9) -> np.ndarray:
    """Float32 on the int16 grid, turned down where it would pass `peak`; storing it as int16 loses nothing."""
    highest = np.abs(x).max()
    if highest > peak:
        x = x * (peak / highest)
    return (np.round(x * 32768) / 32768).astype(np.float32)


def _edge(ratio: np.ndarray) -> np.ndarray:
    """0 below 1/width, 1 above 1, raised cosine in log frequency between."""
    octaves = np.log2(np.maximum(ratio, 1e-6)) * 6
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(octaves + 1, 0, 1))


def _fast_size(n: int) -> int:
    """A length of at least n that an FFT likes: a multiple of a power of two with few factors."""
    step = 1 << max(n.bit_length() - 4, 0)
    return -(-n // step) * step
