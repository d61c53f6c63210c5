"""How a clip of any length meets a model of one length: columns of time and windows. No torch.

A column is the 16 frames that one patch spans. A model of W columns hears a shorter clip by the columns that hold its
sound, and a longer one in windows of W.
"""

from __future__ import annotations

from audioprune.facts.tokens import PATCH


def columns_of(frames: int) -> int:
    """C: columns that hold sound, the last one perhaps in part; of 98 frames 7."""
    return -(-frames // PATCH)


def windows(columns: int, whole: int) -> list[tuple[int, int]]:
    """(first column, columns that no window before it has heard) of each window of `whole` columns, of no fewer.

    Windows abut; the last one is moved back so that it ends with the clip.
    """
    return [(min(first, columns - whole), min(whole, columns - first)) for first in range(0, columns, whole)]
