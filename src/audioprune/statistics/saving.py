"""How much of the cost can be saved before an error rate passes a limit: read off a curve, in every draw.

A curve has its points at falling cost, the unpruned model's first; between two of them it is straight. D draws.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Saving(NamedTuple):
    share: np.ndarray  # (D,) of the cost that is saved where the curve first passes the limit
    censored: np.ndarray  # (D,) whether it never does: then what the cheapest point saves, and more may be possible


def saving(costs: np.ndarray, errors: np.ndarray, limit: np.ndarray) -> Saving:
    """costs and errors (P, D) of P >= 1 points, costs as shares of the unpruned model's; limit (D,).

    The unpruned point is one of them and lies below the limit. Points are taken by falling cost, in every draw.
    """
    order = np.argsort(-costs, axis=0, kind="stable")
    costs, errors = np.take_along_axis(costs, order, 0), np.take_along_axis(errors, order, 0)
    above = errors > limit  # (P, D)
    first = above.argmax(axis=0)[None]
    before = np.maximum(first - 1, 0)
    (cost, last), (error, held) = (
        (np.take_along_axis(x, first, 0)[0], np.take_along_axis(x, before, 0)[0]) for x in (costs, errors)
    )
    rise = np.where(error > held, error - held, 1.0)
    at = np.where(first[0] > 0, last + (limit - held) / rise * (cost - last), cost)
    censored = np.logical_not(above.any(axis=0))
    return Saving(1 - np.where(censored, costs[-1], at), censored)
