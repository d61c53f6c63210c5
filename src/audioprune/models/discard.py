"""Discarding tokens by their patch's intensity right after a block of a trained model (cluster discarding).

Letters: B clips, P patches, C pixels of a patch, n non-prefix tokens, e prefix ones.

A token stays when its input patch's mean lies inside the open interval (low, high); prefix tokens stay. Clips lose
different numbers of tokens, so nothing is cut out: a token that is gone gets size 0, by which no later attention sees
it (its logits become -inf) and no mean counts it. What is left is what removing it would leave, to float rounding. It
acts at the place of pruning, before the block's MLP: what an MLP does to a token that is gone does not matter.

The control drops as many tokens of each clip, at random: the order is that of models.random_order, so a clip's choice
is the same in any batch, and nothing of it depends on intensity.
"""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor, nn

from audioprune.models.pruner import Survivors
from audioprune.models.random_order import RandomOrder
from audioprune.models.statistic import patch_mean


class Discard(nn.Module):
    """A reducer (see pruner.Reducer). seed None: by intensity; else the control of that seed."""

    attention, released_gather, r = None, False, None

    def __init__(self, low: float, high: float, *, seed: int | None = None):
        super().__init__()
        self.low, self.high = low, high
        self.order = None if seed is None else RandomOrder(seed)

    def reduce(
        self, x: Tensor, survivors: Survivors, *, keep_rate: float, block: int, seen: Tensor | None
    ) -> tuple[Tensor, Survivors]:
        left = self.left(survivors.pixels, block).gather(1, survivors.patch_ids[:, survivors.prefix :])  # (B, n)
        sizes = F.pad(left.to(x.dtype), (survivors.prefix, 0), value=1)  # (B, e + n)
        return x, replace(survivors, sizes=sizes, bias=sizes.log())

    def left(self, pixels: Tensor, block: int) -> Tensor:
        """Which patches stay, (B, P, C) -> (B, P)."""
        mean = patch_mean(pixels)
        inside = (mean > self.low) & (mean < self.high)
        if self.order is None:
            return inside
        rank = self.order.of_patches(pixels, block)  # (B, P)
        return place(rank) < inside.sum(1, keepdim=True)


def place(rank: Tensor) -> Tensor:
    """Place of each value in descending order, (B, P): 0 is the highest."""
    return rank.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
