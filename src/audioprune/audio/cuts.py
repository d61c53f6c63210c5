"""Clips cut to a length, from a start that depends on the clip, the length and a seed alone."""

from __future__ import annotations

import hashlib

import numpy as np

from audioprune.facts.mel import SAMPLE_RATE


def cut(waveform: np.ndarray, seconds: float, clip: str, seed: int) -> np.ndarray:
    """(L,) -> its part of so many seconds; all of a clip that is no longer."""
    wanted = round(seconds * SAMPLE_RATE)
    spare = len(waveform) - wanted
    if spare <= 0:
        return waveform
    digest = hashlib.sha256(f"{seed} {seconds!r} {clip}".encode()).digest()
    start = int.from_bytes(digest[:8], "big") % (spare + 1)
    return waveform[start : start + wanted]
