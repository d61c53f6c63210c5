"""The extent of a generated sound in time and frequency, measured from its parts before they are mixed.

The generator knows signal and background apart. Both are cut into cells of 8 frames x 8 mel bins (a quarter of a
16 x 16 patch); a cell holds signal where the signal's power passes the background's, the criterion of an ideal binary
mask at 0 dB. Neighbouring cells are joined into rectangles.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np

from audioprune.audio.truth import CENTRE, HOP, bin_hertz, bin_position
from audioprune.facts.mel import MEL_BINS, SAMPLE_RATE, SHIFT, WINDOW

CELL = 8
FLOOR_DB = 60.0  # below the signal's loudest cell by more than this nothing counts as signal


def extents(signal: np.ndarray, background: np.ndarray) -> list[list[float]]:
    """Rectangles [start s, end s, low Hz, high Hz] of the cells in which `signal` (n,) passes `background` (n,)."""
    power = cell_power(signal)  # (time cells, 16)
    holds = (power > cell_power(background)) & (power > power.max(initial=0) * 10 ** (-FLOOR_DB / 10))
    found: list[list[float]] = []
    seconds = len(signal) / SAMPLE_RATE
    growing: dict[tuple[int, int], int] = {}  # band run -> time cell at which its rectangle began
    for t in range(len(holds) + 1):
        runs = set(_runs(holds[t])) if t < len(holds) else set()
        for run in sorted(set(growing) - runs):
            found.append(_rectangle(growing.pop(run), t, *run, seconds))
        for run in runs - set(growing):
            growing[run] = t
    return sorted(found)


def extents_json(signal: np.ndarray, background: np.ndarray) -> str:
    """The same as the text of a store's `extents` column."""
    return json.dumps(extents(signal, background), separators=(",", ":"))


def cell_power(x: np.ndarray) -> np.ndarray:
    """Mean power in cells of 8 frames x 8 mel bins, frames and bins as in the front end -> (time cells, 16)."""
    frames = np.lib.stride_tricks.sliding_window_view(x, WINDOW)[::SHIFT] * np.hanning(WINDOW)  # (F, 400)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2  # (F, 257)
    bands = np.add.reduceat(power, _first_fft_bin(), axis=1)  # (F, 16)
    starts = np.arange(0, len(bands), CELL)
    return np.add.reduceat(bands, starts, axis=0) / np.diff(np.append(starts, len(bands)))[:, None]


@cache
def _first_fft_bin() -> np.ndarray:
    """First of the 257 FFT bins that belongs to each of the 16 bands of 8 mel bins."""
    position = [bin_position(k * SAMPLE_RATE / 512) for k in range(257)]
    return np.searchsorted(position, np.append(-2, np.arange(CELL, MEL_BINS, CELL) - 0.5))


def _runs(row: np.ndarray) -> list[tuple[int, int]]:
    """[(first, past the last)] of the runs of True in (16,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(int), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _rectangle(begin: int, end: int, low: int, high: int, seconds: float) -> list[float]:
    """Cells [begin, end) x [low, high) in seconds and Hz; frame f stands for [f - 1/2, f + 1/2) around its centre."""
    edge = CENTRE - HOP / 2
    start = 0.0 if begin == 0 else begin * CELL * HOP + edge
    stop = min(end * CELL * HOP + edge, seconds)
    bottom = 0.0 if low == 0 else bin_hertz(low * CELL - 0.5)
    top = 8000.0 if high == MEL_BINS // CELL else bin_hertz(high * CELL - 0.5)
    return [round(start, 4), round(stop, 4), round(bottom, 1), round(top, 1)]
