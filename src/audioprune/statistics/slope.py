"""How accuracy falls with the keep-rate: least-squares slopes, and whether two models' slopes differ (paper.md 7).

A slope is a contrast of metrics, so its interval comes from the same draws.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from audioprune.statistics.bootstrap import Drawn, contrast


def slope(by_rate: Mapping[float, Drawn]) -> Drawn:
    """Slope of the metric on the keep-rate, {keep-rate: metric}: what is lost for each unit of tokens given up.

    ValueError with fewer than two keep-rates, or other clips or seeds at some of them.
    """
    return contrast(*zip(_factors(by_rate).tolist(), by_rate.values(), strict=True))


def interaction(first: Mapping[float, Drawn], second: Mapping[float, Drawn]) -> Drawn:
    """Slope of the first model minus that of the second: the interaction of metric ~ keep-rate x model.

    Above 0, the first loses more as the keep-rate falls.
    """
    return contrast((1.0, slope(first)), (-1.0, slope(second)))


def _factors(rates) -> np.ndarray:
    """Least squares: slope = sum of factor x metric."""
    x = np.array(list(rates), dtype=float)
    if len(x) < 2:
        raise ValueError(f"a slope needs two keep-rates or more, not {len(x)}")
    return (x - x.mean()) / ((x - x.mean()) ** 2).sum()
