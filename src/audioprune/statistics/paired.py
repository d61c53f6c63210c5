"""Do two methods differ on the same clips? A permutation test over whole recordings, exact or by random draws.

The two methods' answers are exchanged on all clips of a recording, in all seeds at once: for a metric that is a sum
over clips, this flips the sign of the recording's difference. For accuracy with one seed, where every clip has a
recording of its own, it is McNemar's exact test.

Of R groups the least p that there can be is 2^(1 - R). Where that is above 5 %, as of five groups, no difference is
large enough to be found: it is not tested, has no p and enters no family. Mixtures link recordings, so that those of a
fold are often one group.

R groups of clips that share recordings, n clips of a seed, D draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from audioprune.statistics.average_precision import ranking, weighted_map
from audioprune.statistics.bootstrap import note
from audioprune.statistics.crossed import CHUNK, Crossed, crossed
from audioprune.statistics.measures import measure, parts
from audioprune.statistics.units import RECORDINGS, Unit

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05
LARGEST = 200_000  # sum of differences up to which the null distribution is written out


@dataclass(frozen=True)
class Comparison:
    """A metric of the first method minus that of the second, and the two-sided p-value of no difference.

    p is None, and `why` says so, where what is exchanged as a whole is so little that no p could be 5 % or less.
    """

    estimate: float
    p: float | None
    clips: int
    clusters: int  # what was exchanged as a whole
    seeds: int
    method: str
    note: str = ""
    why: str = ""


def permutation(
    first: pd.DataFrame,
    second: pd.DataFrame,
    metric: str,
    *,
    unit: Unit = RECORDINGS,
    draws: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Paired permutation test of two predictions (as for bootstrap.draw) of the same clips and seeds.

    Exact for accuracy; for mAP, and ratios that are not of whole numbers, p = (1 + as extreme) / (1 + draws).
    Clips that share a recording are exchanged together, mixtures with all that they are linked to. ValueError where
    clips, recordings or seeds differ, or a ratio's denominators.
    """
    a, b = crossed(first, unit), crossed(second, unit)
    if a.digest != b.digest:
        raise ValueError("a paired permutation needs predictions of the same clips, recordings and seeds on both sides")
    groups, clusters = _groups(a)
    if metric == "map":
        value, p, how = _exchanged_map(first, second, a, b, groups, clusters, draws, seed)
    else:
        value, p, how = _flipped(first, second, metric, a, b, groups, clusters, draws, seed)
    told = f"permutation of source recordings, {how}"
    why = untestable(clusters)
    return Comparison(value, None if why else p, a.clips, clusters, len(a.seeds), told, note(len(a.seeds)), why)


def untestable(clusters: int) -> str:
    """Why so many groups cannot be tested at 5 %; empty where they can."""
    least = 2.0 ** (1 - clusters)
    return f"{clusters} groups of recordings: no p-value below {least:.2g} is possible" if least > LEVEL else ""


def _groups(design: Crossed) -> tuple[list[np.ndarray], int]:
    """By seed (n,): the group of every clip, linked by shared recordings; and the number of groups."""
    size = len(design.recordings) + 1  # the last stands for no recording
    members = np.concatenate(design.members)
    start, end = np.repeat(members[:, :1], members.shape[1], axis=1).ravel(), members.ravel()
    start, end = start[end < size - 1], end[end < size - 1]
    links = coo_array((np.ones(len(start)), (start, end)), shape=(size, size))
    count, of_recording = connected_components(links, directed=False)
    return [of_recording[own[:, 0]] for own in design.members], count - 1


def _flipped(
    first: pd.DataFrame,
    second: pd.DataFrame,
    metric: str,
    a: Crossed,
    b: Crossed,
    groups: list[np.ndarray],
    clusters: int,
    draws: int,
    seed: int,
) -> tuple[float, float, str]:
    measure(first, a, metric)  # refuses what is not a metric
    (above_a, below_a), (above_b, below_b) = parts(first, metric), parts(second, metric)
    difference = np.zeros(clusters + 1)
    for at_a, at_b, group in zip(a.rows, b.rows, groups, strict=True):
        if not np.array_equal(below_a[at_a], below_b[at_b]):
            raise ValueError("a paired permutation of a ratio needs the same denominators on both sides")
        difference += np.bincount(group, above_a[at_a] - above_b[at_b], minlength=clusters + 1)
    value = float(difference.sum() / below_a.sum())
    difference = np.abs(difference[difference != 0])
    observed = abs(value) * below_a.sum()
    if (difference == difference.round()).all() and difference.sum() <= LARGEST:
        return value, _exact(difference.astype(int), round(observed)), "exact"
    flips = np.random.default_rng(seed).integers(2, size=(draws, len(difference))) * 2 - 1
    extreme = (np.abs(flips @ difference) >= observed * (1 - 1e-12)).sum()
    return value, float((1 + extreme) / (1 + draws)), f"{draws} draws"


def _exact(difference: np.ndarray, observed: int) -> float:
    """P(|sum of +-difference| >= observed) over all signs, by convolution."""
    chances = np.ones(1)
    for step in difference.tolist():
        longer = np.zeros(len(chances) + 2 * step)
        longer[: len(chances)] += chances / 2
        longer[2 * step :] += chances / 2
        chances = longer
    sums = np.arange(len(chances)) - len(chances) // 2
    return min(1.0, float(chances[np.abs(sums) >= observed].sum()))


def _exchanged_map(
    first: pd.DataFrame,
    second: pd.DataFrame,
    a: Crossed,
    b: Crossed,
    groups: list[np.ndarray],
    clusters: int,
    draws: int,
    seed: int,
) -> tuple[float, float, str]:
    """Both methods' clips in one ranking; who counts for which side is a weight, so a draw needs no sorting."""
    ranked = []
    for at_a, at_b in zip(a.rows, b.rows, strict=True):
        both = [*first["labels"].iloc[at_a], *second["labels"].iloc[at_b]]
        scores = [*first["scores"].iloc[at_a], *second["scores"].iloc[at_b]]
        ranked.append(ranking(np.stack(scores), both))

    def difference(kept: np.ndarray) -> np.ndarray:  # (R + 1, D) zeros and ones -> (D,)
        total = np.zeros(kept.shape[1])
        for own, group in zip(ranked, groups, strict=True):
            w = kept[group]
            total += weighted_map(own, np.concatenate([w, 1 - w])) - weighted_map(own, np.concatenate([1 - w, w]))
        return total / len(ranked)

    value = float(difference(np.ones((clusters + 1, 1)))[0])
    rng, extreme = np.random.default_rng(seed), 0
    for start in range(0, draws, CHUNK):
        kept = rng.integers(2, size=(clusters + 1, min(CHUNK, draws - start)))
        extreme += int((np.abs(difference(kept)) >= abs(value) * (1 - 1e-12)).sum())
    return value, (1 + extreme) / (1 + draws), f"{draws} draws"
