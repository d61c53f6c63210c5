"""gamma: attention received by kept signal or kept background tokens, over that of the pruned ones (P0 Table 3).

Blocks are grouped by the pruning block that decides about their tokens: with pruning blocks 3, 6, 9 (from 0), G1 is
blocks 0-3, G2 is 4-6, G3 is 7-9, and later blocks are in no group. The tokens entering a block are divided by what the
pruning block of its group keeps; a clip where one of the two sets is empty has no gamma there and is skipped.
n clips, P patches, m tokens entering a block (paper.md 2.3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audioprune.tokens.held import held, membership
from audioprune.tokens.retention import divide


def group_of(block: int, pruning_blocks: Sequence[int]) -> int | None:
    """Index of a block's group, which is that of its pruning block; None behind the last one."""
    return next((i for i, pruning in enumerate(sorted(pruning_blocks)) if block <= pruning), None)


def attention_ratio(
    scores: np.ndarray, entering: np.ndarray, kept: np.ndarray, signal: np.ndarray
) -> dict[str, np.ndarray]:
    """Sums and counts of scores, and gamma, of one block by clip, (n,) each.

    scores, entering (n, m): attention received and patch numbers of the block's tokens; kept (n, K): patch numbers that
    its group's pruning block keeps; signal (n, P) bool. `s`: kept signal, `b`: kept background, `p`: pruned.
    """
    patches = entering >= 0
    stays, bright = held(membership(kept, signal.shape[1]), entering), held(signal, entering)
    parts = {"s": stays & bright, "b": stays & ~bright & patches, "p": patches & ~stays}
    found: dict[str, np.ndarray] = {}
    for name, part in parts.items():
        found[f"sum_{name}"] = np.where(part, scores, 0).sum(axis=1, dtype=np.float64)
        found[f"n_{name}"] = part.sum(axis=1)
    pruned = divide(found["sum_p"], found["n_p"])
    for name in ("s", "b"):
        found[f"gamma_{name}"] = divide(divide(found[f"sum_{name}"], found[f"n_{name}"]), pruned)
    whole = divide(found["sum_s"] + found["sum_b"], found["n_s"] + found["n_b"])
    found["gamma"] = divide(whole, pruned)  # of all kept tokens, whatever their label
    return found
