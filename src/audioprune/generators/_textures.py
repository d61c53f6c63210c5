"""Kinds of continuous sound: weather, engines, sirens. The same form as in `_events`."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from audioprune.generators._synthesis import (
    SAMPLE_RATE,
    band_noise,
    coloured_noise,
    harmonics,
    oscillate,
    samples,
    shaped_noise,
    slow,
    window,
)


def siren(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """A harmonic tone that wails slowly or yelps quickly between two pitches."""
    low, high = recording.uniform(480, 700), recording.uniform(1050, 1500)
    rate, edge = np.exp(recording.uniform(np.log(0.4), np.log(4))), recording.uniform(1, 4)
    m = _length(take, n)
    t = np.arange(m) / SAMPLE_RATE + take.uniform(0, 1 / rate)
    swing = np.tanh(edge * np.sin(2 * np.pi * rate * t)) / np.tanh(edge)  # sine to nearly square
    partials = recording.uniform(0.05, 0.5, 4) * (1, 0.8, 0.5, 0.4)
    return harmonics(low + (high - low) * (0.5 + 0.5 * swing), (1, *partials)) * window(m, 0.06)


def rain(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """A hiss and many drops: short damped clicks of random strength."""
    low, density = recording.uniform(700, 2200), np.exp(recording.uniform(np.log(30), np.log(300)))
    hiss, pitch = recording.uniform(0.15, 0.6), recording.uniform(2200, 4500)
    m = _length(take, n)
    drops = np.zeros(m)
    count = take.poisson(density * m / SAMPLE_RATE)
    drops[take.integers(0, m, count)] = take.standard_normal(count) * take.exponential(1, count)
    click = np.exp(-np.arange(96) / 24) * np.sin(2 * np.pi * pitch * np.arange(96) / SAMPLE_RATE)
    drops = np.convolve(drops, click)[:m]
    drops = drops / max(np.sqrt(np.mean(drops**2)), 1e-9)
    return (drops + hiss * 2 * band_noise(take, m, low, 7500)) * window(m, 0.08)


def wind(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Gusts of low noise with a wandering whistle."""
    exponent, whistle = recording.uniform(1.2, 2.2), recording.uniform(300, 1100)
    gusts, strength = recording.uniform(1, 3.5), recording.uniform(0.1, 0.8)
    m = _length(take, n)
    body = coloured_noise(take, m, exponent)
    tone = shaped_noise(take, m, lambda f: np.exp(-(((f - whistle) / (0.12 * whistle)) ** 2)))
    gust = 1 + 0.85 * slow(take, m, gusts)
    return (body + strength * gust * tone) * gust * window(m, 0.12)


def engine(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """A motor: many harmonics of its firing rate, a little uneven, over mechanical noise."""
    rate, revs = recording.uniform(35, 90), recording.uniform(0.05, 0.3)
    amplitudes = recording.uniform(0.1, 1, 30) * np.exp(-np.arange(30) * recording.uniform(0.04, 0.2))
    noise, top = recording.uniform(0.05, 0.4), recording.uniform(900, 3500)
    m = _length(take, n)
    frequency = rate * (1 + revs * slow(take, m, 1.2) + 0.02 * slow(take, m, 25))
    tone = harmonics(frequency, amplitudes)
    rough = band_noise(take, m, 80, top) * (1 + 0.5 * np.sign(tone))
    return (tone / max(np.sqrt(np.mean(tone**2)), 1e-9) + noise * rough) * window(m, 0.08)


def helicopter(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Blades: pulses of low noise, ten to twenty a second, and the thin tone of the turbine."""
    rate, sharp = recording.uniform(9, 20), recording.uniform(1.5, 6)
    top, turbine = recording.uniform(400, 1600), recording.uniform(1800, 4200)
    m = _length(take, n)
    t = np.arange(m) / SAMPLE_RATE
    pulses = (0.5 + 0.5 * np.cos(2 * np.pi * (rate * t + take.uniform()))) ** sharp
    blades = band_noise(take, m, 50, top) * (pulses + 0.08)
    tone = oscillate(turbine * (1 + 0.004 * slow(take, m, 3)))
    return (blades + recording.uniform(0.005, 0.05) * tone) * window(m, 0.1)


def waves(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Surf: wide noise that swells and breaks every second or two."""
    period, low, top = recording.uniform(0.9, 1.8), recording.uniform(150, 500), recording.uniform(2500, 7000)
    m = _length(take, n)
    phase = (np.arange(m) / samples(period) + take.uniform()) % 1
    swell = np.where(phase < 0.6, (phase / 0.6) ** 2, np.exp(-(phase - 0.6) * 6))
    foam = band_noise(take, m, low * 4, top) * swell**1.5
    return (band_noise(take, m, low, top / 3) * swell + foam) * window(m, 0.06)


def _length(take: Generator, n: int) -> int:
    """Samples that a going-on sound is heard for: 35 to 90 % of the n there are."""
    return int(n * take.uniform(0.35, 0.9))
