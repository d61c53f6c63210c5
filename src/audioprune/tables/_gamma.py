"""Gamma of a group of blocks, computed from the gammas of its blocks."""

from __future__ import annotations

import math

from audioprune.results.estimate import Estimate, of_draws


def group_gammas(own: dict, score: str, group: int, kind: str) -> Estimate | None:
    """Mean over a group's blocks of means over clips: own is {(score, group, block, kind): Estimate} (paper.md 2.3).

    A block where no clip has a gamma is left out. # ASSUME: P0 does not say over what it averages first.
    """
    import numpy as np

    found = [
        e for key, e in own.items() if (key[0], key[1], key[3]) == (score, group, kind) and not math.isnan(e.value)
    ]
    if not found:
        return None
    draws = np.mean([e.draws for e in found], axis=0)
    return of_draws(float(np.mean([e.value for e in found])), draws, found[0], n=max(e.n for e in found))
