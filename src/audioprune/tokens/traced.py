"""The content of a trace cell, block by block, and the kinds of its patches. Arrays are read when needed.

Letters as in audioprune.tokens.trace: n clips, P patches, m tokens entering a block, K kept by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

SCORES = ("global", "cls")


@dataclass(frozen=True)
class Traced:
    arrays: Mapping[str, np.ndarray]  # such as an opened trace.npz
    patches: int  # P

    @cached_property
    def norms(self) -> np.ndarray:
        """(n, blocks)"""
        return self.arrays["norms"]

    @property
    def blocks(self) -> range:
        return range(self.norms.shape[1])

    @cached_property
    def kept(self) -> dict[int, np.ndarray]:
        """Pruning block -> patch numbers (n, K), in the order of the blocks; empty for an unpruned model."""
        blocks = sorted(int(name.removeprefix("kept_")) for name in self.arrays if name.startswith("kept_"))
        return {block: self.arrays[f"kept_{block}"] for block in blocks}

    def entering(self, block: int) -> np.ndarray:
        """(n, m)"""
        return self.arrays[f"entering_{block}"]

    def scores(self, block: int) -> dict[str, np.ndarray]:
        """Kind of score -> (n, m); `cls` is missing where `as_released` has lost the class token."""
        names = {kind: f"score_{kind}_{block}" for kind in SCORES}
        return {kind: self.arrays[name] for kind, name in names.items() if name in self.arrays}


@dataclass(frozen=True)
class Labels:
    """What is known of each token's patch, in the model's order and under one label map."""

    statistics: Mapping[str, np.ndarray]  # mean, std: (n, P)
    levels: Mapping[str, np.ndarray]  # mean, std: (n, P) cluster, 0 is C1
    signal: np.ndarray  # (n, P) bool, none of them padding
    padding: np.ndarray  # (n, P) bool
    cut: np.ndarray  # (n, P) bool, in part padding
