"""A clip's spectrogram as a small picture: time to the right, frequency up, as bright as it is loud."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

from audioprune.facts.mel import HIGH_HZ, MEL_BINS, MEL_LOW, MEL_STEP, SAMPLE_RATE, SHIFT, WINDOW, hertz, mel

if TYPE_CHECKING:
    import numpy as np

HOP = SHIFT / SAMPLE_RATE  # seconds from frame to frame
HERTZ = (250, 1000, 2000, 4000, 8000)
WIDEST = 256  # columns: what can be seen at this size
RANGE = (2, 99.5)  # percentiles of the picture that are its darkest and its brightest shade
WEBP = {"quality": 50, "method": 6}  # lossy: a third of the bytes of a PNG of 32 shades, and no step is seen


def picture(spectrogram: np.ndarray) -> bytes:
    """(T, bins) of log-mel values -> a WebP of (bins, at most WIDEST) pixels in viridis, dark to bright."""
    import numpy as np
    from matplotlib.image import imsave

    step = -(-len(spectrogram) // WIDEST)
    x = spectrogram[: len(spectrogram) // step * step].reshape(-1, step, spectrogram.shape[1]).mean(axis=1)
    low, high = np.percentile(x, RANGE)
    shades = {"cmap": "viridis", "vmin": low, "vmax": max(high, low + 1e-6)}
    out = io.BytesIO()
    imsave(out, x.T, format="webp", origin="lower", pil_kwargs={**WEBP}, **shades)
    return out.getvalue()


def axis() -> list[tuple[str, float]]:
    """What is written beside a picture: frequencies in kHz, and how far up they stand, from 0 to 1."""
    return [(f"{hz / 1000:g}", (mel(hz) - MEL_LOW) / (mel(HIGH_HZ) - MEL_LOW)) for hz in HERTZ]


def log_mel(waveform: np.ndarray) -> np.ndarray:
    """(L,) samples at 16 kHz -> (T, MEL_BINS): a picture of what no model sees through the front end of fbanks."""
    import numpy as np

    frames = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, (0, max(0, WINDOW - len(waveform)))), WINDOW)
    power = np.abs(np.fft.rfft(frames[::SHIFT] * np.hanning(WINDOW), 2 * WINDOW)) ** 2  # (T, WINDOW + 1)
    at = np.linspace(0, HIGH_HZ, power.shape[1])
    edges = [hertz(MEL_LOW + MEL_STEP * i) for i in range(MEL_BINS + 2)]
    slopes = [(at - low) / (high - low) for low, high in pairwise(edges)]  # from 0 at an edge to 1 at the next
    rise, fall = slopes[:-1], [1 - slope for slope in slopes[1:]]
    bank = np.clip(np.minimum(rise, fall), 0, None)  # (MEL_BINS, WINDOW + 1)
    return np.log(power @ bank.T + 1e-10)
