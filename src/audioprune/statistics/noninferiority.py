"""Is a drop smaller than a margin? One-sided bounds, for our draws and for published numbers (paper.md 7).

Drops, margins and bounds are in points (percent of clips); '< 1 % drop' is read as a margin of 1 point.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import Literal

from scipy.special import ndtri

Verdict = Literal["non-inferior", "inferior", "inconclusive"]


def verdict_of(low: float, high: float, margin: float) -> Verdict:
    """From the one-sided bounds of a drop."""
    return "non-inferior" if high < margin else "inferior" if low > margin else "inconclusive"


def clips_needed(variance: float, drop: float, margin: float, level: float = 0.95) -> int | None:
    """The least number of clips whose bound, z sqrt(variance / clips) from the drop, does not reach the margin.

    `variance`: of one clip, in squared points. None: the drop is the margin, and no number would do.

    # ASSUME: the drop found is the true one, new recordings have as many clips as these, and all of the variance
    shrinks with the number of recordings. That between seeds does not: hence at least so many.
    """
    gap = abs(margin - drop)
    return ceil(variance * (ndtri(level) / gap) ** 2) if gap > 0 else None


def least_upper_bound(drop: float, clips: int, level: float = 0.95) -> float:
    """The one-sided upper bound of a published drop is at least this, however well the two models' errors agree.

    At best the pruned model errs wherever the other does and on |drop| more: the per-clip difference then has variance
    d (1 - d), d = |drop| / 100. ESC-50: 0.80 points on 2 000 clips give 1.13 (paper.md 7).

    # ASSUME: clips are independent. Published numbers do not allow to check it; where they are not, bounds are wider.
    """
    return drop + ndtri(level) * sqrt((100 * abs(drop) - drop**2) / clips)
