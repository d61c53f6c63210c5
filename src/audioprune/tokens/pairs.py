"""Pairs of a clip's tokens, ordered by attention score and by rank of the patch: how many agree, disagree or tie.

What the rank correlations of `statistics.concordance` are made of. n clips, m tokens of a clip.
"""

from __future__ import annotations

import numpy as np

from audioprune.tokens.inversions import dense_ranks, inversions, starts, tied_pairs

CHUNK = 2_000_000  # tokens counted at a time


def count_pairs(scores: np.ndarray, ranks: np.ndarray) -> dict[str, np.ndarray]:
    """Numbers of pairs of each clip, (n,) int64: total, discordant, tied_score, tied_rank, tied_both.

    scores (n, m); ranks (n, m): cluster of the patch, or its raw statistic. Pairs tied in both are counted in
    `tied_score` and in `tied_rank` too.
    """
    rows = max(1, CHUNK // max(1, scores.shape[1]))
    parts = [_count(scores[i : i + rows], ranks[i : i + rows]) for i in range(0, len(scores), rows)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _count(scores: np.ndarray, ranks: np.ndarray) -> dict[str, np.ndarray]:
    n, m = scores.shape
    level = dense_ranks(ranks)  # (n, m)
    order = np.lexsort((level, scores), axis=1)  # by score; of equal scores by rank, so that none is an inversion
    score, level = np.take_along_axis(scores, order, axis=1), np.take_along_axis(level, order, axis=1)
    new_score, new_level = starts(score), starts(level)
    return {
        "total": np.full(n, m * (m - 1) // 2, dtype=np.int64),
        "discordant": inversions(level),
        "tied_score": tied_pairs(new_score),
        "tied_rank": tied_pairs(starts(np.sort(level, axis=1))),
        "tied_both": tied_pairs(new_score | new_level),
    }
