"""Which patch a token's label is taken from: the right one or, for the audit, a wrong one on purpose (B24).

right        token i has the statistic of its own patch
transposed   as if the tokens ran along the other axis first: AudioMAE's time-major tokens read with AST's map, or AST's
             with AudioMAE's
shuffled     an independent permutation for each clip

n clips, P = time x freq patches. paper.md 6.1: what is known of P0 fits labels independent of position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from audioprune.errors import UserError
from audioprune.registry import nearest

LabelMap = Literal["right", "transposed", "shuffled"]
MAPS: tuple[LabelMap, ...] = get_args(LabelMap)


def label_index(
    label_map: LabelMap, rows: Sequence[int], *, orientation: str, time: int, freq: int, seed: int = 0
) -> np.ndarray:
    """Token -> the token whose label it is given: (n, P) int64, one permutation a clip.

    `rows` are the clips' rows in the feature store: a clip's shuffle depends on its row and the seed alone.
    """
    if orientation not in ("time", "freq"):
        raise ValueError(f"orientation is 'time' (AudioMAE) or 'freq' (AST), not {orientation!r}")
    own = np.arange(time * freq)
    if label_map == "right":
        return np.tile(own, (len(rows), 1))
    if label_map == "transposed":
        grid = own.reshape((time, freq) if orientation == "time" else (freq, time))
        return np.tile(grid.T.ravel(), (len(rows), 1))
    if label_map == "shuffled":
        drawn = [np.random.default_rng([seed, int(row)]).permutation(time * freq) for row in rows]
        return np.stack(drawn) if drawn else np.empty((0, time * freq), dtype=np.int64)
    raise UserError(f"no label map named {label_map!r}{nearest(label_map, MAPS)}")


def relabel(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Values of tokens (n, P) under a map: token i of a clip gets that of token index[i]."""
    return np.take_along_axis(values, index, axis=1)
