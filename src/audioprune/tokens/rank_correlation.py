"""Rank correlation of attention score and patch statistic, as released and as it should be (specification, 3.3).

Of two tokens of a clip, one may have the higher score and the higher rank (concordant), the higher score and the lower
rank (discordant), or the same of one of them (tied). n clips, m tokens of a clip.

    tau*    (concordant + tied - discordant) / pairs, the released measure (B18). # DIFFERS: it is none of Kendall's
            coefficients; independence does not give 0 but t
    t       tied / pairs
    tau-b   (concordant - discordant) / sqrt(pairs not tied in score x pairs not tied in rank)
    gamma   (concordant - discordant) / (concordant + discordant), Goodman and Kruskal's
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from audioprune.tokens.inversions import dense_ranks, inversions, starts, tied_pairs

CHUNK = 2_000_000  # tokens counted at a time


class Pairs(NamedTuple):
    """Numbers of pairs, by clip (n,) int64 or summed to plain integers."""

    total: np.ndarray | int
    discordant: np.ndarray | int
    tied_score: np.ndarray | int
    tied_rank: np.ndarray | int
    tied_both: np.ndarray | int  # counted in each of the two before

    @property
    def tied(self) -> np.ndarray | int:
        return self.tied_score + self.tied_rank - self.tied_both

    @property
    def concordant(self) -> np.ndarray | int:
        """Strictly: without the tied ones."""
        return self.total - self.tied - self.discordant

    def pooled(self) -> Pairs:
        """Over all clips."""
        return Pairs(*(int(np.sum(counted)) for counted in self))


def count_pairs(scores: np.ndarray, ranks: np.ndarray) -> Pairs:
    """Pairs of each clip: scores (n, m), ranks (n, m) cluster of the patch, or its raw statistic."""
    rows = max(1, CHUNK // max(1, scores.shape[1]))
    parts = [_count(scores[i : i + rows], ranks[i : i + rows]) for i in range(0, len(scores), rows)]
    return Pairs(*(np.concatenate(counted) for counted in zip(*parts, strict=True)))


def _count(scores: np.ndarray, ranks: np.ndarray) -> Pairs:
    n, m = scores.shape
    level = dense_ranks(ranks)  # (n, m)
    order = np.lexsort((level, scores), axis=1)  # by score; of equal scores by rank, so that none is an inversion
    score, level = np.take_along_axis(scores, order, axis=1), np.take_along_axis(level, order, axis=1)
    new_score, new_level = starts(score), starts(level)
    return Pairs(
        np.full(n, m * (m - 1) // 2, dtype=np.int64),
        inversions(level),
        tied_pairs(new_score),
        tied_pairs(starts(np.sort(level, axis=1))),
        tied_pairs(new_score | new_level),
    )


def tau_star(pairs: Pairs) -> float:
    return float(exact_tau_star(pairs.total - pairs.discordant, pairs.total))


def exact_tau_star(not_discordant: int, total: int) -> Fraction:
    """(2 C - n) / n, C the pairs that are concordant or tied: a double of it shows from what it was made."""
    return Fraction(2 * int(not_discordant) - int(total), int(total))


def tie_share(pairs: Pairs) -> float:
    """t, what tau* would be if score and rank were independent."""
    return pairs.tied / pairs.total


def tau_b(pairs: Pairs) -> float:
    untied = (pairs.total - pairs.tied_score) * (pairs.total - pairs.tied_rank)
    return (pairs.concordant - pairs.discordant) / math.sqrt(untied) if untied else math.nan


def goodman_kruskal(pairs: Pairs) -> float:
    decided = pairs.concordant + pairs.discordant
    return (pairs.concordant - pairs.discordant) / decided if decided else math.nan


def least_tie_share(shares, tokens: int) -> float:
    """The least t of clips of that many tokens whose clusters have these shares over all: (n sum s^2 - 1) / (n - 1)."""
    return (tokens * sum(s * s for s in shares) - 1) / (tokens - 1)


def count_behind(value: float, clips: int, tokens: int) -> int | None:
    """The number of concordant or tied pairs C that makes `value` the exact double of (2 C - n) / n, or None.

    n is the number of pairs of `clips` clips of `tokens` tokens: the provenance of a published value (section 6.3).
    """
    total = clips * math.comb(tokens, 2)
    found = round((Fraction(value) + 1) * total / 2)
    return found if 0 <= found <= total and float(exact_tau_star(found, total)) == value else None
