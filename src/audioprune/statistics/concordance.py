"""Rank correlations from numbers of pairs: as released, and corrected (paper.md 3.3).

Of a pair, one may have the higher score and the higher rank (concordant), the higher score and the lower rank
(discordant), or the same of one of them (tied).

    tau*    (concordant + tied - discordant) / pairs, the released measure (B18). # DIFFERS: it is none of Kendall's
            coefficients; independence does not give 0 but t
    t       tied / pairs
    strict  tau* - t = (concordant - discordant) / pairs
    tau-b   (concordant - discordant) / sqrt(pairs not tied in score x pairs not tied in rank)
    gamma   (concordant - discordant) / (concordant + discordant), Goodman and Kruskal's
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Pairs(NamedTuple):
    """Numbers of pairs, in one draw or in each of many: () or (D,) float64."""

    total: np.ndarray
    discordant: np.ndarray
    tied_score: np.ndarray
    tied_rank: np.ndarray
    tied_both: np.ndarray  # counted in each of the two before

    @property
    def tied(self) -> np.ndarray:
        return self.tied_score + self.tied_rank - self.tied_both

    @property
    def concordant(self) -> np.ndarray:
        """Strictly: without the tied ones."""
        return self.total - self.tied - self.discordant


COUNTS = Pairs._fields


def tau_star(pairs: Pairs) -> np.ndarray:
    return (pairs.total - 2 * pairs.discordant) / pairs.total


def tie_share(pairs: Pairs) -> np.ndarray:
    """t, what tau* is where score and rank are independent."""
    return pairs.tied / pairs.total


def strict(pairs: Pairs) -> np.ndarray:
    """tau* - t, which then is 0."""
    return (pairs.concordant - pairs.discordant) / pairs.total


def tau_b(pairs: Pairs) -> np.ndarray:
    untied = (pairs.total - pairs.tied_score) * (pairs.total - pairs.tied_rank)
    return (pairs.concordant - pairs.discordant) / np.sqrt(untied)


def goodman_kruskal(pairs: Pairs) -> np.ndarray:
    return (pairs.concordant - pairs.discordant) / (pairs.concordant + pairs.discordant)


MEASURES = {"tau_star": tau_star, "tie_share": tie_share, "strict": strict, "tau_b": tau_b, "gamma": goodman_kruskal}


def coefficients(pairs: Pairs) -> dict[str, np.ndarray]:
    """{name: () or (D,)}, NaN where no pair decides: all are tied, or there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: measure(pairs) for name, measure in MEASURES.items()}
