"""Ground truth of generated audio: which pixels and patches of the fbank a known time-frequency extent covers.

A frame of the front end covers 25 ms and stands for its centre, 12.5 ms after its start; mel bin m of the Kaldi filter
bank (128 triangles, 20 Hz to 8 kHz) stands for the peak of its triangle. An extent covers the pixels whose centres lie
inside it, and at least the nearest one when it is thinner than a pixel.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from audioprune.facts.mel import MEL_BINS, MEL_LOW, MEL_STEP, SAMPLE_RATE, SHIFT, WINDOW, hertz, mel

HOP = SHIFT / SAMPLE_RATE  # seconds from frame to frame
CENTRE = WINDOW / 2 / SAMPLE_RATE  # seconds from a frame's start to its centre


def bin_position(hz: float) -> float:
    """Position of a frequency among the mel bins: m at the peak of bin m, m + 0.5 halfway to the next."""
    return (mel(hz) - MEL_LOW) / MEL_STEP - 1


def bin_hertz(position: float) -> float:
    """Inverse of bin_position."""
    return hertz(MEL_LOW + (position + 1) * MEL_STEP)


def signal_pixels(extents: Iterable, frames: int) -> np.ndarray:
    """Pixels covered by any of the extents [start s, end s, low Hz, high Hz] -> bool (frames, 128)."""
    pixels = np.zeros((frames, MEL_BINS), dtype=bool)
    for start, end, low, high in extents:
        rows = _covered((start - CENTRE) / HOP, (end - CENTRE) / HOP, frames)
        columns = _covered(bin_position(low), bin_position(high), MEL_BINS)
        pixels[rows, columns] = True
    return pixels


def signal_patches(extents: Iterable, frames: int, patch: int = 16, stride: int = 16, share: float = 0.0) -> np.ndarray:
    """Patches that overlap a known extent -> bool (time, freq).

    With `share` > 0 a patch counts only when at least that share of its pixels is covered.
    """
    return patch_share(signal_pixels(extents, frames), patch, stride) >= max(share, 0.5 / patch**2)


def patch_share(pixels: np.ndarray, patch: int = 16, stride: int = 16) -> np.ndarray:
    """Share of each patch's pixels (frames, 128) that is True -> float (time, freq)."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (patch, patch))[::stride, ::stride]
    return windows.mean(axis=(2, 3))  # (time, freq)


def _covered(first: float, last: float, size: int) -> slice:
    """Whole positions within [first, last], or the nearest one when there is none; nothing when wholly outside."""
    begin, end = int(np.ceil(first - 1e-6)), int(np.floor(last + 1e-6))
    if end < begin:
        begin = end = int(np.floor((first + last) / 2 + 0.5))
    return slice(max(begin, 0), max(min(end + 1, size), 0))
