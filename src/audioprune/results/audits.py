"""Selections under right and wrong labels, folds and seeds of a model together (paper.md 6.1, B24)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SELECTIONS = {"intensity": "intensity", "low_frequency": "low frequencies", "random": "random", "model": "the model"}


def pooled(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Folds and seeds together: means weighted by clips; blind intervals as those of independent runs."""
    import numpy as np
    import pandas as pd

    frame = pd.concat(frames, ignore_index=True)
    found = []
    for key, own in frame.groupby(["map", "selection", "stage"], sort=False):
        n = own["n"].to_numpy(dtype=float)
        half = float(np.sqrt((((own["high"] - own["low"]) / 2 * n) ** 2).sum()) / n.sum())
        excess = float((own["excess"] * n).sum() / n.sum())
        found.append((*key, excess, -half, half, int(n.sum())))
    return pd.DataFrame(found, columns=["map", "selection", "stage", "excess", "low", "high", "n"])
