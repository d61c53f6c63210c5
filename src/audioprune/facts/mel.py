"""Constants of the front end and the mel scale; no torch, so that planning and drawing may use it.

The filter bank has 128 triangles whose 130 edge points are equally spaced on the mel scale between 20 Hz and 8 kHz:
triangle b rises from edge b, peaks at edge b + 1 and ends at edge b + 2.
"""

from __future__ import annotations

import math

SAMPLE_RATE = 16_000  # Hz
WINDOW = 400  # samples: 25 ms
SHIFT = 160  # samples: 10 ms
MEL_BINS = 128
LOW_HZ, HIGH_HZ = 20.0, 8_000.0


def mel(hz: float) -> float:
    """Kaldi's mel scale (HTK's, with natural logarithm)."""
    return 1127.0 * math.log(1.0 + hz / 700.0)


def hertz(m: float) -> float:
    """Inverse of `mel`."""
    return 700.0 * (math.exp(m / 1127.0) - 1.0)


MEL_LOW = mel(LOW_HZ)
MEL_STEP = (mel(HIGH_HZ) - MEL_LOW) / (MEL_BINS + 1)


def edge_hz(i: int) -> float:
    """Frequency of edge point i = 0..129, in Hz."""
    if not 0 <= i <= MEL_BINS + 1:
        raise ValueError(f"edge points are numbered 0 to {MEL_BINS + 1}, not {i}")
    return hertz(MEL_LOW + i * MEL_STEP)


def centre_hz(b: int) -> float:
    """Centre frequency of mel bin b = 0..127, in Hz."""
    if not 0 <= b < MEL_BINS:
        raise ValueError(f"mel bins are numbered 0 to {MEL_BINS - 1}, not {b}")
    return edge_hz(b + 1)


def band_hz(b: int) -> tuple[float, float]:
    """Lowest and highest frequency that mel bin b = 0..127 hears, in Hz."""
    centre_hz(b)
    return edge_hz(b), edge_hz(b + 2)


def frame_seconds(frame: int) -> tuple[float, float]:
    """First and last moment of analysis frame `frame`, in seconds from the clip's start."""
    start = frame * SHIFT / SAMPLE_RATE
    return start, start + WINDOW / SAMPLE_RATE


def frame_count(samples: int) -> int:
    """Frames that fit whole into `samples` samples; one for a clip shorter than a window."""
    return max(1, 1 + (samples - WINDOW) // SHIFT)
