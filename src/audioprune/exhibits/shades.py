"""Spectrograms in a few shades: what can be seen at the size of a figure, and small as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LEVELS = 32


def shaded(x: np.ndarray, colours: str, within: tuple[float, float]) -> np.ndarray:
    """(T, bins) in a few shades of a colour map, from one to the other percentile: (T, bins, 3) uint8."""
    import matplotlib as mpl
    import numpy as np

    low, high = np.percentile(x, within)
    level = np.clip((x - low) / max(high - low, 1e-6), 0, 1)
    return mpl.colormaps[colours](np.round(level * LEVELS) / LEVELS, bytes=True)[..., :3]
