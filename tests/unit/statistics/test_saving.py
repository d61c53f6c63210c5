"""What can be saved before an error rate passes a limit: curves by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.statistics.saving import saving


def at(points: list[tuple[float, float]], limit: float) -> tuple[float, bool]:
    costs, errors = (np.array(one, dtype=float)[:, None] for one in zip(*points, strict=True))
    found = saving(costs, errors, np.array([limit]))
    return found.share[0], bool(found.censored[0])


@pytest.mark.parametrize(
    ("points", "share", "censored"),
    [
        # limit 11: between (0.8, 10.5) and (0.6, 12.5) the line is at 11 after a quarter: 0.75 of the cost is left
        ([(1, 10), (0.8, 10.5), (0.6, 12.5), (0.4, 30)], 0.25, False),
        # it passes twice, the first time counts: half-way between 1 and 0.8
        ([(1, 10), (0.8, 12), (0.6, 10), (0.4, 30)], 0.10, False),
        # it touches the limit, and passes later: half-way from 0.5 to 0.3
        ([(1, 10), (0.5, 11), (0.3, 11), (0.2, 13)], 0.70, False),
        # better than unpruned, then straight through: from (0.5, 9) to (0.3, 13), half-way
        ([(1, 10), (0.5, 9), (0.3, 13)], 0.60, False),
        # never passes: what the cheapest point saves
        ([(1, 10), (0.8, 9), (0.6, 10.9)], 0.40, True),
        # nothing was pruned
        ([(1, 10)], 0.0, True),
        # the order in which points are given says nothing
        ([(0.4, 30), (1, 10), (0.6, 12.5), (0.8, 10.5)], 0.25, False),
    ],
)
def test_by_hand(points, share, censored):
    assert at(points, 11) == (pytest.approx(share), censored)


def test_every_draw_has_its_own_curve():
    """Two draws of one curve, the second with the unpruned model as bad as the pruned one was in the first."""
    costs = np.array([[1.0, 1.0], [0.5, 0.4]])
    errors = np.array([[10.0, 20.0], [20.0, 20.0]])
    found = saving(costs, errors, 1.1 * errors[0])
    assert found.share.tolist() == pytest.approx([0.05, 0.6])  # 1 of 10 points of the way down to 0.5; never
    assert found.censored.tolist() == [False, True]
