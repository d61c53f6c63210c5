"""How large the residual stream is beside what attention adds to it, by block (P0 Figures 7 and 10).

A trace holds |x| / |attention branch of x|, L2 norms, mean over a clip's tokens, for each clip and block. # ASSUME: P0
does not say what it averages; per token, then tokens, then clips, as Raghu et al. 2021.
"""

from __future__ import annotations

import numpy as np


def norm_ratio(norms: np.ndarray) -> np.ndarray:
    """Mean over clips: norms (n, blocks) -> (blocks,) float64."""
    return norms.mean(axis=0, dtype=np.float64)


def normalised(norms: np.ndarray, unpruned: np.ndarray) -> np.ndarray:
    """The ratio over that of the unpruned model: (n, blocks) and (n', blocks) -> (blocks,)."""
    if norms.shape[1] != unpruned.shape[1]:
        raise ValueError(f"{norms.shape[1]} blocks cannot be compared with the unpruned model's {unpruned.shape[1]}")
    return norm_ratio(norms) / norm_ratio(unpruned)
