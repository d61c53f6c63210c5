"""Several contrasts that decide one verdict: Holm by hand, and on which side each lies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from audioprune.results.estimate import Estimate
from audioprune.results.family import adjusted, sides
from audioprune.statistics.bootstrap import Design, Drawn

DESIGN = Design(10_000, 10_000, 1, 1000, 0, "these", 10_000.0)
GRID = norm.ppf((np.arange(1000) + 0.5) / 1000)


def contrast(z: float) -> Estimate:
    """A drop so many standard errors from zero, of so many recordings that nothing is added to speak of."""
    return Estimate(z, Drawn(z, z + GRID, DESIGN, (100.0, -100.0)), 10_000, 1, 1)


NOTHING = Estimate(9.0, None, 10_000, 1, 1)  # of other clips


def test_by_hand():
    p = adjusted([contrast(2.5), contrast(-3.5), NOTHING, contrast(1.0)])
    alone = [2 * norm.sf(z) for z in (2.5, 3.5, 1.0)]
    assert p[2] is None
    assert [p[0], p[1], p[3]] == pytest.approx([2 * alone[0], 3 * alone[1], alone[2]], rel=0.02)


def test_what_excludes_zero_alone_may_not_among_others():
    assert contrast(2.1).low > 0
    assert sides([contrast(2.1)]) == ["above"]
    assert sides([contrast(2.1), contrast(-3), contrast(0.3)]) == ["open", "below", "open"]
    assert sides([contrast(2.1), NOTHING]) == ["above", "open"]  # what cannot be tested costs nothing
    assert sides([contrast(2.1)], threshold=1.0) == ["open"]
    assert sides([]) == []


def test_one_way():
    assert adjusted([contrast(1.8)], way="above") == pytest.approx([norm.sf(1.8)], rel=0.02)
    assert adjusted([contrast(1.8)], 3.0, "below") == pytest.approx([norm.cdf(1.8 - 3)], rel=0.02)
