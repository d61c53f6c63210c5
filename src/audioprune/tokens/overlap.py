"""How much two selections of the same clips agree."""

from __future__ import annotations

import numpy as np

from audioprune.tokens.held import membership
from audioprune.tokens.retention import divide


def jaccard(a: np.ndarray, b: np.ndarray, patches: int) -> np.ndarray:
    """|a and b| / |a or b| of kept patch numbers (n, K) and (n, K') by clip -> (n,); NaN where both are empty.

    Both must number the patches alike, as models of one family do.
    """
    one, other = membership(a, patches), membership(b, patches)
    return divide((one & other).sum(axis=1), (one | other).sum(axis=1))
