"""Intervals by a crossed bootstrap over source recordings and seeds, for a metric or any contrast of metrics.

`draw` measures one method on every draw; `contrast` combines methods draw by draw: a drop is (unpruned, -pruned), a
difference of two backbones' drops has four terms. All methods on the same clips and seeds meet the same draws, so every
contrast is paired. `quantiles` gives intervals and bounds. Clips of all folds are pooled; a fold's model is that of its
seed.

Two cases that plain percentiles get wrong. In draws of an mAP a clip that is drawn twice ranks beside itself, which
lifts average precision: draws of mAP are moved so that their mean is the value. And where no draw differs from the
value, as when pruning changes no clip from right to wrong or back, recordings not seen may still do so: an accuracy's
interval then reaches as far as a share p of such recordings would take it, p the largest that leaves all n of ours
unchanged with the probability that an interval allows (Clopper and Pearson 1934 at none of n: about 3.7 / n).

Draws of recordings and of seeds are independent (the pigeonhole bootstrap of Owen 2007): its variance is slightly too
large for clips and, like any bootstrap's, too small by 1/S for S seeds, which the interval's note says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audioprune.statistics.crossed import crossed, weights
from audioprune.statistics.measures import measure
from audioprune.statistics.units import RECORDINGS, Unit

if TYPE_CHECKING:
    import pandas as pd

ONE_SEED = "one seed: training variance is not covered"
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


@dataclass(frozen=True, eq=False)
class Drawn:
    """A metric or a contrast, with everything once and in every draw."""

    value: float
    draws: np.ndarray  # (D,) NaN where a draw has nothing to measure
    design: Design
    limits: tuple[float, float] | None = None  # an accuracy's, or a contrast's of accuracies; None for other metrics


def draw(predictions: pd.DataFrame, metric: str, *, unit: Unit = RECORDINGS, draws: int = 1000, seed: int = 0) -> Drawn:
    """The metric of one method ('top1', 'map' or 'ratio', from 0 to 1) in every draw.

    predictions: columns clip, recording, labels (list of int) and scores (list of float), or numerator and denominator
    for 'ratio'; seed where there are several, and the column that `unit` names. ValueError where they are not complete.
    """
    design = crossed(predictions, unit)
    measured = measure(predictions, design, metric)
    value = measured(design.clip_weights(np.ones((1, len(design.recordings)))), np.ones((1, len(design.seeds))))
    values = np.concatenate([measured(design.clip_weights(w), v) for w, v in weights(design, draws, seed)])
    if metric == "map":
        values += value[0] - np.nanmean(values)
    sizes = Design(design.clips, len(design.recordings), len(design.seeds), draws, seed, design.digest)
    return Drawn(float(value[0]), values, sizes, (0.0, 1.0) if metric == "top1" else None)


def contrast(*terms: tuple[float, Drawn]) -> Drawn:
    """Sum of factor x metric, draw by draw; ValueError where the terms are not of the same clips, seeds and draws."""
    design = terms[0][1].design
    if any(drawn.design != design for _, drawn in terms):
        raise ValueError("a paired contrast needs predictions of the same clips, recordings and seeds, in equal draws")
    ends = [sorted(f * end for end in drawn.limits) for f, drawn in terms if drawn.limits]
    return Drawn(
        sum(factor * drawn.value for factor, drawn in terms),
        np.sum([factor * drawn.draws for factor, drawn in terms], axis=0),
        design,
        (sum(low for low, _ in ends), sum(high for _, high in ends)) if len(ends) == len(terms) else None,
    )


def quantiles(drawn: Drawn, probabilities: Sequence[float]) -> list[float]:
    """Of the draws, leaving out those with nothing to measure; where none differs from the value, see above."""
    if drawn.limits is None or np.nanmin(drawn.draws) < np.nanmax(drawn.draws):
        return np.nanquantile(drawn.draws, probabilities).tolist()
    n, (least, most) = drawn.design.clusters, drawn.limits
    unseen = [1 - min(p, 1 - p) ** (1 / n) for p in probabilities]
    ends = [(least if p < 0.5 else most) - drawn.value for p in probabilities]
    return [drawn.value + share * way for share, way in zip(unseen, ends, strict=True)]


def note(seeds: int) -> str:
    """What the number of seeds leaves out of an interval; empty where that is little."""
    if seeds == 1:
        return ONE_SEED
    return f"{seeds} seeds: {seeds - 1}/{seeds} of the variance between them is seen" if seeds < FEW_SEEDS else ""
