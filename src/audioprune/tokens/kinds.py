"""The three kinds of patches: signal, background, and padding, which the front end appends to a short clip.

A patch is padding when all its frames lie behind the clip's end. One that the end cuts through is of the clip: it is
signal or background as any other. Padding is neither, whatever its pixels are: it tells nothing of the sound.
"""

from __future__ import annotations

import numpy as np

from audioprune.facts.tokens import PATCH, Orientation, token_order

KINDS = ("signal", "background", "padding")


def padding(frames: np.ndarray, *, orientation: Orientation, time: int, freq: int, stride: int = PATCH) -> np.ndarray:
    """Which patches are padding, in the model's order: frames of the clips as they are (n,) -> (n, P) bool."""
    return _first(orientation, time, freq, stride) >= np.asarray(frames)[:, None]


def cut(
    frames: np.ndarray, *, orientation: Orientation, time: int, freq: int, patch: int = PATCH, stride: int = PATCH
) -> np.ndarray:
    """Which patches the clip's end cuts through, in part padding: frames (n,) -> (n, P) bool."""
    first, end = _first(orientation, time, freq, stride), np.asarray(frames)[:, None]
    return (first < end) & (end < first + patch)


def _first(orientation: Orientation, time: int, freq: int, stride: int) -> np.ndarray:
    """First frame of each patch, in the model's order: (1, P)."""
    return stride * np.array([[t for t, _ in token_order(orientation, time, freq)]])


def shares(signal: np.ndarray, padding: np.ndarray) -> dict[str, float]:
    """Share of each kind among all patches of all clips: signal, padding (n, P) bool, disjoint -> {kind: share}."""
    found = float(signal.mean()), float(padding.mean())
    return {"signal": found[0], "background": 1 - sum(found), "padding": found[1]}
