"""Rank correlations of attention score and patch statistic of the study's unpruned models (specification, section 3.3).

Pairs of all clips are pooled, as released; intervals draw clips by recording, as those of means over clips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.analyses import Estimate, Group, estimate, sums

if TYPE_CHECKING:
    from audioprune.results import Results

COUNTS = ("total", "discordant", "tied_score", "tied_rank", "tied_both")
MEASURES = ("tau_star", "tie_share", "strict", "tau_b", "gamma")


def correlations(results: Results, group: Group) -> dict[tuple[str, str, int, str], Estimate]:
    """{(score, statistic, block, measure): Estimate}, ranks being clusters; `strict` is tau* - t.

    `tau_b_raw` is tau-b with the patch statistic itself as rank, of which hardly two are equal.
    """
    return results.cached(f"correlations {group.cells} {group.signal}", lambda results: _correlations(results, group))


def _correlations(results: Results, group: Group) -> dict:
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
        of_all, of_draws = _measures(found.values[columns]), _measures(found.draws[:, columns].T)
        for measure in MEASURES if rank == "cluster" else ("tau_b",):
            name = measure if rank == "cluster" else "tau_b_raw"
            one = estimate(float(of_all[measure]), of_draws[measure], found.design.clips, found.design)
            made[score, statistic, int(block), name] = one
    return made


def _measures(counts) -> dict:
    """The coefficients of `tokens.rank_correlation` from numbers of pairs (5,) or (5, D), in the order of COUNTS."""
    import numpy as np

    total, discordant, score, rank, both = counts
    tied = score + rank - both
    concordant = total - tied - discordant
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "tau_star": (total - 2 * discordant) / total,
            "tie_share": tied / total,
            "strict": (concordant - discordant) / total,
            "tau_b": (concordant - discordant) / np.sqrt((total - score) * (total - rank)),
            "gamma": (concordant - discordant) / (concordant + discordant),
        }


def over_blocks(own: dict, score: str, statistic: str, measure: str) -> Estimate:
    """The mean of a measure over all blocks."""
    import numpy as np

    found = [e for key, e in own.items() if (key[0], key[1], key[3]) == (score, statistic, measure)]
    draws = np.mean([e.draws for e in found], axis=0)
    return estimate(float(np.mean([e.value for e in found])), draws, found[0].n, found[0].design)
