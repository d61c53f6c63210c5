"""White noise at a given signal-to-noise ratio, for datasets that would be too easy without it."""

from __future__ import annotations

import numpy as np

LOUDEST = 1 - 2**-15  # the largest value that the 16-bit store holds


def add_noise(waveform: np.ndarray, snr_db: float, seed: int) -> np.ndarray:
    """`waveform` (L,) in [-1, 1) with white Gaussian noise, as float32.

    snr_db: power of the clip over power of the noise, both exact over this clip. A sum that would clip is scaled down
    as a whole, which leaves the ratio as it is; a clip without power comes back unchanged. The noise depends on the
    seed and the length only.
    """
    clean = np.asarray(waveform, dtype=np.float64)  # (L,)
    power = float(np.mean(clean**2)) if clean.size else 0.0
    if power == 0:
        return clean.astype(np.float32)
    noise = np.random.default_rng(seed).standard_normal(clean.size)
    noise *= np.sqrt(power / np.mean(noise**2) / 10 ** (snr_db / 10))
    mixed = clean + noise
    return (mixed * min(1.0, LOUDEST / np.abs(mixed).max())).astype(np.float32)
