"""Rank correlations of attention score and patch statistic of the study's unpruned models (paper.md 3.3).

Pairs of all clips are pooled, as released; intervals draw clips by recording, as those of means over clips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.results.estimate import Estimate, of_draws
from audioprune.results.tokens import Group, drawn_from, sums

if TYPE_CHECKING:
    from audioprune.results.study import Results


def correlations(results: Results, group: Group) -> dict[tuple[str, str, int, str], Estimate]:
    """{(score, statistic, block, measure): Estimate}, ranks being clusters; `strict` is tau* - t.

    `tau_b_raw` is tau-b with the patch statistic itself as rank, of which hardly two are equal.
    """
    name = f"correlations {group.cells}"
    return results.cached(name, lambda results: _correlations(results, group), of=group.cells)


def _correlations(results: Results, group: Group) -> dict:
    from audioprune.statistics.concordance import COUNTS, Pairs, coefficients

    names, found = sums(
        results,
        group,
        "correlation",
        ("score", "statistic", "rank", "block"),
        lambda frame: {c: frame[c] for c in COUNTS},
    )
    at = {name: i for i, name in enumerate(names)}
    made = {}
    for score, statistic, rank, block in dict.fromkeys(name[:-1] for name in names):
        columns = [at[score, statistic, rank, block, c] for c in COUNTS]
        counts = found.values[columns], found.draws[:, columns].T  # (5,), (5, D)
        of_all, in_draws = (coefficients(Pairs(*own)) for own in counts)
        for measure in of_all if rank == "cluster" else ("tau_b",):
            name = measure if rank == "cluster" else "tau_b_raw"
            one = drawn_from(float(of_all[measure]), in_draws[measure], found.design.clips, found.design, group)
            made[score, statistic, int(block), name] = one
    return made


def over_blocks(own: dict, score: str, statistic: str, measure: str) -> Estimate:
    """The mean of a measure over all blocks."""
    import numpy as np

    found = [e for key, e in own.items() if (key[0], key[1], key[3]) == (score, statistic, measure)]
    draws = np.mean([e.draws for e in found], axis=0)
    return of_draws(float(np.mean([e.value for e in found])), draws, found[0])
