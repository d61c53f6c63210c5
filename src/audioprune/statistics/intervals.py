"""Intervals and p-values of a metric or any contrast of metrics, which also hold when no clip changes.

Percentiles of a bootstrap fail where few clips change: with none their width is zero, with one an end lies on zero, and
of five changes one way they exclude zero where the exact test does not (McNemar 1947: p = 0.0625). Therefore the normal
interval of Bonett and Price (2012), which adds one pair each way to the clips that changed, is taken further:

* to recordings and seeds: the variance is that of the draws (crossed bootstrap), and what is added are recordings,
  whole ones: as many as `EXTRA` each way. With R recordings in effect, value v and variance s^2 of the draws,

      middle    m = (R v + 2 EXTRA c) / (R + 2 EXTRA)
      variance  (R^2 s^2 + R (v - m)^2 + 2 EXTRA (reach^2 + (c - m)^2)) / (R + 2 EXTRA)^2

  which for clips of their own, lost b and gained c of n, is (b + c + 3 - ...) / (n + 3)^2.
* to any contrast: the recordings added lie at c +- reach. Of one metric from 0 to 1, c and reach are 1/2; of a drop 0
  and 1; of a sum of factors f the sum of f / 2, and the least of sum |f| / 2 and sqrt(sum f^2 / 2).
* to mAP, which has ends too. The mAP that an interval is of is that of a test set of this size
  (`measures.mean_average_precision`).

`EXTRA` = 1.5: with one, as in the source, two-sided coverage falls to 93.0 % where clips are lost and none gained; with
1.5 it stays above 94.5 % and zero is excluded where McNemar's exact test has p below 0.05, up to 40 changed clips but
for 15 pairs of counts (tests/unit/statistics/test_intervals.py; recordings and seeds: benchmarks/coverage.py). Nothing
is narrower for fewer recordings, and no difference is less certain for being none.

# ASSUME: models of a contrast of more than two terms slip on clips of their own; hence the root of a sum of squares.

What has no known ends, as word error rates and what is read from tokens, has percentiles of its draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri  # scipy.stats takes longer to load than most exhibits take to draw

from audioprune.statistics.bootstrap import Drawn

EXTRA = 1.5  # recordings added each way
Way = Literal["either", "above", "below"]


class Normal(NamedTuple):
    middle: float
    error: float
    least: float  # ends of what can be
    most: float


def normal(drawn: Drawn) -> Normal:
    """The distribution that intervals and p-values are of, where the ends of the metric are known."""
    f = np.asarray(drawn.factors)
    r, centre = drawn.design.effective, f.sum() / 2
    reach = min(np.abs(f).sum() / 2, np.sqrt((f**2).sum() / 2))
    middle = (r * drawn.value + 2 * EXTRA * centre) / (r + 2 * EXTRA)
    added = r * (drawn.value - middle) ** 2 + 2 * EXTRA * (reach**2 + (centre - middle) ** 2)
    variance = (r**2 * np.nanvar(drawn.draws) + added) / (r + 2 * EXTRA) ** 2
    return Normal(middle, float(np.sqrt(variance)), float(f[f < 0].sum()), float(f[f > 0].sum()))


def quantiles(drawn: Drawn, probabilities: Sequence[float]) -> list[float]:
    """Ends of intervals and bounds; draws with nothing to measure are left out."""
    if not drawn.factors:
        return np.nanquantile(drawn.draws, probabilities).tolist()
    found = normal(drawn)
    ends = found.middle + found.error * ndtri(probabilities)
    return np.clip(ends, found.least, found.most).tolist()


def chance(drawn: Drawn, threshold: float = 0.0, way: Way = "either") -> float:
    """p-value of the threshold, against a value that lies on either side of it, above or below it.

    Below 5 % (one way) where the bound, (either) where the 95 % interval leaves the threshold out.
    """
    if drawn.factors:
        found = normal(drawn)
        z = (found.middle - threshold) / found.error
        above, below = float(ndtr(-z)), float(ndtr(z))
    else:
        there = drawn.draws[~np.isnan(drawn.draws)]
        above, below = ((1 + int(own.sum())) / (1 + len(there)) for own in (there <= threshold, there >= threshold))
    return {"above": above, "below": below, "either": min(1.0, 2 * min(above, below))}[way]
