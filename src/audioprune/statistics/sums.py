"""Weighted sums over clips of many columns at once, in every draw of the crossed bootstrap.

Means over clips and pooled ratios are quotients of such sums. The draws are those of `bootstrap.draw`: of the same
clips each column gives what it gives there, at the cost of one drawing for all columns together.
n clips, Q columns, D draws, S seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audioprune.statistics.bootstrap import Design, design_of
from audioprune.statistics.crossed import crossed, weights
from audioprune.statistics.units import RECORDINGS, Unit

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Sums:
    values: np.ndarray  # (Q,) over all clips
    draws: np.ndarray  # (D, Q)
    design: Design


def draw_sums(
    clips: pd.DataFrame, columns: np.ndarray, *, unit: Unit = RECORDINGS, draws: int = 1000, seed: int = 0
) -> Sums:
    """Sums of columns (n, Q), without NaN, over the clips of a table as `crossed` takes it; ValueError as there."""
    design = crossed(clips, unit)
    own = [columns[at].astype(np.float64) for at in design.rows]
    parts = [
        sum(drawn.T @ values * v[:, [i]] for i, (drawn, values) in enumerate(zip(design.clip_weights(w), own)))
        for w, v in weights(design, draws, seed)
    ]
    total = np.sum([values.sum(axis=0) for values in own], axis=0)
    return Sums(total, np.concatenate(parts), design_of(design, draws, seed))
