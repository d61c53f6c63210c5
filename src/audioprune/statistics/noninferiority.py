"""Is a drop smaller than a margin? A non-inferiority test, for our draws and for published numbers (paper.md 7).

Drops, margins and bounds are in points (percent of clips); '< 1 % drop' is read as a margin of 1 point.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal

import numpy as np
from scipy.stats import norm

from audioprune.statistics.bootstrap import ONE_SEED, Drawn, method, note, quantiles

Verdict = Literal["non-inferior", "inferior", "inconclusive"]


@dataclass(frozen=True)
class NonInferiority:
    """low and high are one-sided bounds at `level`: non-inferior is high < margin, inferior is low > margin."""

    verdict: Verdict
    estimate: float
    low: float
    high: float
    margin: float
    level: float
    clips: int
    clusters: int
    seeds: int
    clips_needed: int | None  # at least so many would settle an inconclusive one; None: settled, or not to be told
    method: str
    note: str = ""


def non_inferiority(drop: Drawn, margin: float = 1.0, *, level: float = 0.95) -> NonInferiority:
    """Verdict on a drop in points, `contrast((100, unpruned), (-100, pruned))`.

    # ASSUME: for `clips_needed`, the drop found is the true one, new recordings have as many clips as these, and all of
    # the variance of the draws shrinks with the number of recordings. That between seeds does not: hence "at least".
    """
    low, high = quantiles(drop, [1 - level, level])
    verdict = verdict_of(low, high, margin)
    design, needed = drop.design, None
    if verdict == "inconclusive":
        needed = clips_needed(design.clips * float(np.nanvar(drop.draws)), drop.value, margin, level)
        needed = max(needed, design.clips + 1) if needed else None  # percentiles and normal bounds may differ a little
    return NonInferiority(
        verdict, drop.value, low, high, margin, level,
        design.clips, design.clusters, design.seeds, needed, f"one-sided, {method(design)}", note(design.seeds),
    )  # fmt: skip


def published(
    unpruned: float, pruned: float, clips: int, margin: float = 1.0, *, level: float = 0.95
) -> NonInferiority:
    """Verdict on two published accuracies (percent), of one run each on the same clips.

    How far the errors agree is not known: low and high hold for errors that never do, the widest, and `note` tells the
    least upper bound, for errors that agree wherever they can. `clips_needed` is for the latter.

    # ASSUME: clips are independent. Published numbers do not allow to check it; where they are not, bounds are wider.
    """
    drop, widest = unpruned - pruned, _most_discordant(unpruned, pruned)
    half = norm.ppf(level) * _error(widest, drop, clips)
    low, high, least = drop - half, drop + half, least_upper_bound(drop, clips, level=level)
    verdict = verdict_of(low, high, margin)
    variance = 100 * abs(drop) - drop**2  # of one clip, when errors agree
    needed = clips_needed(variance, drop, margin, level) if verdict == "inconclusive" else None
    needed = needed if needed and needed > clips else None
    told = f"upper bound from {least:.2f} (errors agree) to {high:.2f} (never agree) points; {ONE_SEED}"
    how = "one-sided, normal, from published values"
    return NonInferiority(verdict, drop, low, high, margin, level, clips, clips, 1, needed, how, told)


def least_upper_bound(drop: float, clips: int, *, level: float = 0.95) -> float:
    """The one-sided upper bound of a drop in points is at least this, however well the errors agree.

    At best the pruned model errs wherever the other does and on |drop| more: the per-clip difference then has variance
    d (1 - d), d = |drop| / 100. ESC-50: 0.80 points on 2 000 clips give 1.13 (paper.md 7).
    """
    return drop + norm.ppf(level) * _error(abs(drop), drop, clips)


def _error(discordant: float, drop: float, clips: int) -> float:
    """Standard error, in points, of a paired difference; `discordant` percent of clips are right for one model only."""
    return sqrt((100 * discordant - drop**2) / clips)


def _most_discordant(unpruned: float, pruned: float) -> float:
    return min(200 - unpruned - pruned, unpruned + pruned)


def clips_needed(variance: float, drop: float, margin: float, level: float = 0.95) -> int | None:
    """The least number of clips whose bound, z sqrt(variance / clips) from the drop, does not reach the margin.

    `variance`: of one clip, in squared points. None: the drop is the margin, and no number would do.
    """
    gap = abs(margin - drop)
    return ceil(variance * (norm.ppf(level) / gap) ** 2) if gap > 0 else None


def verdict_of(low: float, high: float, margin: float) -> Verdict:
    """From the one-sided bounds of a drop."""
    return "non-inferior" if high < margin else "inferior" if low > margin else "inconclusive"
