"""Merging runs of neighbouring tokens: a reducer for tokens that lie in the order of time.

Letters: B clips, n tokens, K runs, D width, d width of a head. What a policy of this kind says is which run each token
belongs to; a run becomes the mean of its tokens, weighted by how many tokens of the input each stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from audioprune.facts.tokens import keep_count
from audioprune.models.pruner import Survivors
from audioprune.models.select import wide

Groups = Callable[[Tensor, Tensor | None, int], Tensor]
Starts = Callable[[Tensor], Tensor]


class Runs(nn.Module):
    """A reducer (see pruner.Reducer). A run has the number of its first token.

    groups     x (B, n, D), keys summed over heads (B, n, d), K -> (B, n): the run of each token, never falling
    starts     the same keys -> (B, n): how far each token differs from the one before, by which its run begins there;
               None: runs that look at nothing, which are shown no keys, and keys of a run get no weight later
    """

    released_gather, r = False, None

    def __init__(self, groups: Groups, starts: Starts | None = None):
        super().__init__()
        self.groups, self.starts = groups, starts

    @property
    def attention(self) -> Literal["keys"] | None:
        return "keys" if self.starts else None

    def count(self, keep_rate: float, n: int) -> int:
        """How many of n tokens go."""
        return n - keep_count(keep_rate, n)

    def reduce(
        self, x: Tensor, survivors: Survivors, *, keep_rate: float, block: int, seen: Tensor | None
    ) -> tuple[Tensor, Survivors]:
        """x (B, n, D) -> (B, K, D)."""
        return self.into(x, survivors, keep_count(keep_rate, int(x.shape[1])), seen)

    def into(self, x: Tensor, survivors: Survivors, kept: int, seen: Tensor | None) -> tuple[Tensor, Survivors]:
        """The same to a given number of runs."""
        with torch.no_grad():
            runs = self.groups(x, seen, kept)  # (B, n)
        return self.merged(x, survivors, runs, kept)

    def merged(self, x: Tensor, survivors: Survivors, runs: Tensor, kept: int) -> tuple[Tensor, Survivors]:
        """Every run of tokens as its mean: x (B, n, D), runs (B, n) in 0 ... kept - 1 -> (B, kept, D)."""
        sizes = torch.ones(x.shape[:2], device=x.device) if survivors.sizes is None else survivors.sizes
        size = sizes.new_zeros(len(x), kept).scatter_add(1, runs, sizes)  # float32, also where x is not
        total = sizes.new_zeros(len(x), kept, x.shape[2]).scatter_add(1, wide(runs, x), x * sizes[..., None])
        first = torch.full_like(runs[:, :kept], runs.shape[1]).scatter_reduce(
            1, runs, torch.arange(runs.shape[1], device=x.device).expand_as(runs), "amin"
        )
        survivors = replace(
            survivors,
            patch_ids=survivors.patch_ids.gather(1, first),
            sizes=size,
            bias=size.log() if self.starts else None,
        )
        return (total / size[..., None]).to(x.dtype), survivors
