"""Several contrasts that decide one verdict together: their p-values are adjusted by Holm.

What cannot be tested, as a contrast without an interval, enters no family and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from audioprune.results.estimate import LEVEL, Estimate

if TYPE_CHECKING:
    from audioprune.statistics.intervals import Way

Side = Literal["above", "below", "open"]


def adjusted(contrasts: Sequence[Estimate], threshold: float = 0.0, way: Way = "either") -> list[float | None]:
    """p-value of the threshold for each contrast, adjusted for all of them; None for what cannot be tested."""
    from audioprune.statistics.holm import family

    return family([one.chance(threshold, way) for one in contrasts])


def sides(contrasts: Sequence[Estimate], threshold: float = 0.0) -> list[Side]:
    """On which side of the threshold each contrast lies; open where that is not settled.

    The chance that any of them is put on a wrong side is at most 5 %, however many there are. Of one contrast: where
    its 95 % interval lies.
    """
    return [
        "open" if p is None or p > 1 - LEVEL else "above" if one.value > threshold else "below"
        for one, p in zip(contrasts, adjusted(contrasts, threshold), strict=True)
    ]
