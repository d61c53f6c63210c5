"""A crossed bootstrap over source recordings and seeds: draws of a metric, for one method or any contrast of methods.

`draw` measures one method on every draw; `contrast` combines methods draw by draw: a drop is (unpruned, -pruned), a
difference of two backbones' drops has four terms. All methods on the same clips and seeds meet the same draws, so every
contrast is paired. Clips of all folds are pooled; a fold's model is that of its seed. What interval the draws give, and
what is added where few clips change, is in `intervals`.

Draws of recordings and of seeds are independent (the pigeonhole bootstrap of Owen 2007): its variance is too large for
what is of one clip and seed alone, up to 3 times, and, like any bootstrap's, too small by 1/S for S seeds, which the
interval's note says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audioprune.statistics.crossed import Crossed, crossed, weights
from audioprune.statistics.measures import measure, of_clips
from audioprune.statistics.units import RECORDINGS, Unit

if TYPE_CHECKING:
    import pandas as pd

ONE_SEED = "one seed: training variance is not covered"
MIXED = "mixtures: intervals are 1.1 to 1.7 times too wide, most where mixtures of a recording are least alike"
FEW_SEEDS = 10  # with fewer, what the bootstrap misses of their variance is worth a note


@dataclass(frozen=True)
class Design:
    """What was drawn. Equal designs mean the same clips, recordings and seeds, in the same draws."""

    clips: int
    clusters: int  # recordings
    seeds: int
    draws: int
    seed: int  # of the draws themselves
    digest: str
    effective: float  # recordings of one size that vary as these do (Crossed.effective)


def design_of(found: Crossed, draws: int, seed: int) -> Design:
    sizes = found.clips, len(found.recordings), len(found.seeds)
    return Design(*sizes, draws, seed, found.digest, found.effective)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A metric or a contrast, with everything once and in every draw."""

    value: float
    draws: np.ndarray  # (D,) NaN where a draw has nothing to measure
    design: Design
    factors: tuple[float, ...] = ()  # of each metric in it, times the most that metric can be; empty: that is not known
    clips: np.ndarray | None = None  # (N,) of accuracies, what each clip in each seed adds

    @property
    def changed(self) -> tuple[int, int] | None:
        """Clips, in every seed, above and below zero in a contrast of accuracies: of a drop, those lost and gained.

        None of a single metric, and where clips cannot be counted, as in mAP.
        """
        if self.clips is None or len(self.factors) < 2:
            return None
        least = 1e-9 * max(map(abs, self.factors))  # below it is rounding
        return int((self.clips > least).sum()), int((self.clips < -least).sum())


def draw(predictions: pd.DataFrame, metric: str, *, unit: Unit = RECORDINGS, draws: int = 1000, seed: int = 0) -> Drawn:
    """The metric of one method ('top1', 'map' or 'ratio', from 0 to 1) in every draw.

    predictions: columns clip, recording, labels (list of int) and scores (list of float), or numerator and denominator
    for 'ratio'; seed where there are several, and the column that `unit` names. ValueError where they are not complete.
    """
    found = crossed(predictions, unit)
    measured = measure(predictions, found, metric)
    value = measured(found.clip_weights(np.ones((1, len(found.recordings)))), np.ones((1, len(found.seeds))))
    values = np.concatenate([measured(found.clip_weights(w), v) for w, v in weights(found, draws, seed)])
    clips, most = of_clips(predictions, found, metric)
    return Drawn(float(value[0]), values, design_of(found, draws, seed), () if most is None else (most,), clips)


def contrast(*terms: tuple[float, Drawn]) -> Drawn:
    """Sum of factor x metric, draw by draw; ValueError where the terms are not of the same clips, seeds and draws."""
    design = terms[0][1].design
    if any(drawn.design != design for _, drawn in terms):
        raise ValueError("a paired contrast needs predictions of the same clips, recordings and seeds, in equal draws")
    known = all(drawn.factors for _, drawn in terms)
    clips = [factor * drawn.clips for factor, drawn in terms if drawn.clips is not None]
    return Drawn(
        sum(factor * drawn.value for factor, drawn in terms),
        np.sum([factor * drawn.draws for factor, drawn in terms], axis=0),
        design,
        tuple(factor * own for factor, drawn in terms for own in drawn.factors) if known else (),
        np.sum(clips, axis=0) if len(clips) == len(terms) else None,
    )


def note(seeds: int, unit: Unit = RECORDINGS) -> str:
    """What the number of seeds leaves out of an interval, empty where that is little; and what mixtures add to it."""
    few = (
        f"{seeds} seeds: intervals cover {seeds - 1}/{seeds} of the variance between seeds" if seeds < FEW_SEEDS else ""
    )
    return "; ".join(filter(None, (ONE_SEED if seeds == 1 else few, MIXED if unit.parts else "")))
