"""A clip's spectrogram as a small PNG: time to the right, frequency up, a few shades of one scale of colours."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

from audioprune.facts.mel import HIGH_HZ, MEL_BINS, MEL_LOW, MEL_STEP, SAMPLE_RATE, SHIFT, WINDOW, hertz, mel

if TYPE_CHECKING:
    import numpy as np

HOP = SHIFT / SAMPLE_RATE  # seconds from frame to frame
HERTZ = (250, 1000, 2000, 4000, 8000)
SHADES = 32
WIDEST = 256  # columns: what can be seen at this size
RANGE = (2, 99.5)  # percentiles of the picture that are its darkest and its brightest shade
# Viridis at equal steps: as bright as it says for every eye, and in grey.
SCALE = (
    (68, 1, 84), (72, 33, 115), (67, 62, 133), (56, 88, 140), (45, 112, 142), (37, 133, 142),
    (30, 155, 138), (42, 176, 127), (82, 197, 105), (134, 213, 73), (194, 223, 35), (253, 231, 37),
)  # fmt: skip


def picture(spectrogram: np.ndarray) -> bytes:
    """(T, bins) of log-mel values -> a PNG of (bins, at most WIDEST) pixels."""
    import numpy as np

    step = -(-len(spectrogram) // WIDEST)
    x = spectrogram[: len(spectrogram) // step * step].reshape(-1, step, spectrogram.shape[1]).mean(axis=1)
    low, high = np.percentile(x, RANGE)
    level = np.clip((x - low) / max(high - low, 1e-6), 0, 1) * (SHADES - 1)
    return png(np.rint(level).astype(np.uint8).T[::-1])


def png(levels: np.ndarray) -> bytes:
    """(rows, columns) of shades -> an indexed PNG (PNG specification, 11.2)."""
    height, width = levels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in levels)  # no filter: shades are no measure of one another
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (b"IHDR", header), (b"PLTE", palette()), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks)


def palette() -> bytes:
    """SHADES colours, three bytes each, from dark to bright."""
    import numpy as np

    at, known = np.linspace(0, 1, SHADES), np.linspace(0, 1, len(SCALE))
    channels = [np.interp(at, known, channel) for channel in np.transpose(SCALE)]
    return np.rint(np.transpose(channels)).astype(np.uint8).tobytes()


def axis() -> list[tuple[str, float]]:
    """What is written beside a picture: frequencies in kHz, and how far up they stand, from 0 to 1."""
    return [(f"{hz / 1000:g}", (mel(hz) - MEL_LOW) / (mel(HIGH_HZ) - MEL_LOW)) for hz in HERTZ]


def _chunk(name: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))


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
