"""Which patches of a clip's grid hold sound, where the generator of its audio says where it put some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def known_patches(extents: Sequence, time: int, padding: int, patch: int, stride: int) -> np.ndarray | None:
    """Patches of a grid with `time` columns that overlap an extent -> bool (time, freq); None where none is known.

    Columns from `padding` on hold no sound of the clip.
    """
    from audioprune.audio.truth import signal_patches

    if not extents:
        return None
    grid = signal_patches(extents, (time - 1) * stride + patch, patch, stride)
    grid[padding:] = False
    return grid
