"""Kinds of sound that come in bursts: animals, bells, steps. Synthesised by signal processing.

Every kind is a function (recording, take, n) -> float64 waveform of at most n samples. What makes one source sound like
itself (its pitch, rate, timbre) is drawn from `recording`, what differs each time it is heard from `take`: clips of
one recording share the first generator's state and are relatives, as clips cut from one field recording are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from audioprune.generators._synthesis import (
    SAMPLE_RATE,
    add_at,
    band_noise,
    decay,
    harmonics,
    oscillate,
    samples,
    slow,
    window,
)


def bird(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """A phrase of short chirps, each one sweep with a little vibrato."""
    pitch, sweep = recording.uniform(3000, 4300), recording.uniform(-1600, -500)
    syllable, gap = recording.uniform(0.06, 0.2), recording.uniform(0.04, 0.22)
    vibrato, bend = recording.uniform(0, 200), recording.uniform(-0.5, 0.5)

    def chirp() -> np.ndarray:
        m = samples(syllable * take.uniform(0.85, 1.15))
        t = np.linspace(0, 1, m)
        frequency = pitch * take.uniform(0.94, 1.06) + sweep * (t + bend * t * (1 - t))
        frequency = frequency + vibrato * np.sin(2 * np.pi * 35 * t * syllable)
        return window(m) * harmonics(np.clip(frequency, 1200, 7500), (1, 0.12))

    return _repeat(chirp, take, n, count=take.integers(3, 9), period=syllable + gap, jitter=0.1)


def dog(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Barks: a falling harmonic tone through two formants, with breath noise."""
    pitch, length = recording.uniform(330, 560), recording.uniform(0.12, 0.22)
    formants, gap = (recording.uniform(700, 1000), recording.uniform(1700, 2300)), recording.uniform(0.15, 0.4)
    breath = recording.uniform(0.15, 0.45)

    def bark() -> np.ndarray:
        m = samples(length * take.uniform(0.85, 1.15))
        t = np.linspace(0, 1, m)
        frequency = pitch * take.uniform(0.92, 1.08) * (1 + 0.25 * np.sin(np.pi * t) - 0.35 * t)
        partials = np.arange(1, 16) * pitch
        gains = sum(np.exp(-(((partials - f) / 350) ** 2)) for f in formants) + 0.08
        assert isinstance(gains, np.ndarray)
        voiced = harmonics(frequency, gains)
        noise = band_noise(take, m, 400, 4500) * breath
        return (voiced + noise) * window(m, 0.15) * np.exp(-2.5 * t)

    return _repeat(bark, take, n, count=take.integers(1, 6), period=length + gap, jitter=0.25)


def bell(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Strikes of a bell: decaying inharmonic partials, the high ones gone first."""
    pitch, ring = recording.uniform(480, 850), recording.uniform(0.8, 2.2)
    ratios = np.array([0.5, 1.0, 1.19, 1.5, 2.0, 2.74, 3.76, 5.2]) * recording.uniform(0.985, 1.015, 8)
    strengths = recording.uniform(0.2, 1, 8)

    def strike() -> np.ndarray:
        m = min(samples(ring * 0.8), n)
        total = np.zeros(m)
        for ratio, strength in zip(ratios, strengths * take.uniform(0.7, 1.3, 8), strict=True):
            if pitch * ratio < 7500:
                total += strength * decay(m, ring / ratio**0.6) * oscillate(np.full(m, pitch * ratio))
        return total

    return _repeat(strike, take, n, count=take.integers(1, 4), period=recording.uniform(0.4, 0.9), jitter=0.1)


def clock(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Ticks and tocks: two alternating resonances, a few milliseconds each."""
    period, ring = recording.uniform(0.2, 0.6), recording.uniform(0.015, 0.05)
    resonances = recording.uniform(2300, 4500, 2)
    side = iter(range(1000))

    def tick() -> np.ndarray:
        m = samples(ring * 1.2)
        f = resonances[next(side) % 2]
        click = 0.6 * band_noise(take, m, f * 0.6, min(f * 1.6, 7800)) + oscillate(np.full(m, f))
        return click * decay(m, ring, 0.0005)

    return _repeat(tick, take, n, count=n, period=period, jitter=0.01)


def footsteps(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """A dull thump for each step, followed by the scuff of the sole."""
    period, thump = recording.uniform(0.35, 0.6), recording.uniform(70, 220)
    scuff, brightness = recording.uniform(0.05, 0.4), recording.uniform(1500, 5000)

    def step() -> np.ndarray:
        m = samples(0.16)
        heel = 2 * decay(m, 0.12) * oscillate(thump * take.uniform(0.9, 1.1) * np.linspace(1.3, 0.8, m))
        heel[: samples(0.02)] += band_noise(take, samples(0.02), 200, 2500) * decay(samples(0.02), 0.02)
        sole = scuff * band_noise(take, samples(0.11), 500, brightness) * window(samples(0.11))
        add_at(heel, sole, samples(0.05))
        return heel * take.uniform(0.6, 1)

    return _repeat(step, take, n, count=n, period=period, jitter=0.08)


def alarm(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Electronic beeps at one pitch, or two in turn."""
    pitch = recording.uniform(1300, 2100)
    pitches = (pitch, pitch * recording.choice([1.0, 1.0, 1.2, 0.84]))
    on, off = recording.uniform(0.06, 0.22), recording.uniform(0.05, 0.22)
    third = recording.uniform(0.1, 0.35)
    side = iter(range(1000))

    def beep() -> np.ndarray:
        m = samples(on)
        return harmonics(np.full(m, pitches[next(side) % 2]), (1, 0, third)) * window(m, 0.05)

    return _repeat(beep, take, n, count=take.integers(3, 12), period=on + off, jitter=0.0)


def crickets(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """A high tone, pulsed quickly, in trains with pauses."""
    pitch, pulse = recording.uniform(4500, 6000), recording.uniform(22, 60)
    train, pause = recording.uniform(0.15, 0.6), recording.uniform(0.1, 0.4)
    depth = recording.uniform(1, 3)

    def chirr() -> np.ndarray:
        m = samples(train * take.uniform(0.9, 1.1))
        t = np.arange(m) / SAMPLE_RATE
        pulses = (0.5 - 0.5 * np.cos(2 * np.pi * pulse * t)) ** depth
        return pulses * oscillate(pitch * (1 + 0.01 * slow(take, m, 20))) * window(m, 0.1)

    return _repeat(chirr, take, n, count=n, period=train + pause, jitter=0.05)


def drip(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Water drops: short sines that rise as the bubble closes."""
    pitch, rise, period = recording.uniform(500, 1400), recording.uniform(1.4, 2.6), recording.uniform(0.2, 0.7)

    def drop() -> np.ndarray:
        m = samples(0.07)
        return decay(m, 0.07) * oscillate(pitch * take.uniform(0.85, 1.2) * np.linspace(1, rise, m))

    return _repeat(drop, take, n, count=n, period=period, jitter=0.5)


def knock(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """Knuckles on wood: a click and two damped low resonances, three to six times."""
    modes, period = recording.uniform((130, 350), (300, 800)), recording.uniform(0.13, 0.28)

    def hit() -> np.ndarray:
        m = samples(0.12)
        tone = sum(decay(m, 0.1) * oscillate(np.full(m, f)) for f in modes)
        return (tone + 0.5 * band_noise(take, m, 300, 3000) * decay(m, 0.03)) * take.uniform(0.7, 1)

    return _repeat(hit, take, n, count=take.integers(3, 7), period=period, jitter=0.1)


def whistle(recording: Generator, take: Generator, n: int) -> np.ndarray:
    """A human whistle: one gliding tone with breath, in one to three notes."""
    pitch, span = recording.uniform(900, 2200), recording.uniform(0.1, 0.5)

    def note() -> np.ndarray:
        m = samples(take.uniform(0.25, 0.6))
        glide = pitch * (1 + span * slow(take, m, 3))
        return (oscillate(glide) + 0.04 * band_noise(take, m, 800, 5000)) * window(m, 0.15)

    return _repeat(note, take, n, count=take.integers(1, 4), period=0.65, jitter=0.1)


def _repeat(
    make: Callable[[], np.ndarray], take: Generator, n: int, count: int | np.integer, period: float, jitter: float
) -> np.ndarray:
    """Pieces from make(), one each `period` seconds give or take the share `jitter`, as many as n samples hold."""
    total, start, end = np.zeros(n), 0, 0
    for _ in range(int(count)):
        piece = make()
        if start + len(piece) > n and end:
            break
        add_at(total, piece, start)
        end = min(start + len(piece), n)
        start += samples(period * (1 + jitter * take.uniform(-1, 1)))
    return total[:end]
