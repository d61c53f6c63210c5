"""A random order of tokens that depends only on the clip, the block and a seed.

Each selecting block owns one long random order, drawn once on the CPU by a torch.Generator seeded from (seed, block); a
clip reads it in a window that begins at a place given by its own content, an exact integer sum over its
pixels. So a clip's selection is the same in any batch, on any device and at any time; another clip, an augmented copy
of the clip, another seed and another block get others.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audioprune.models.pruner import View

LENGTH = 1 << 16
BLOCKS = 64
STEP = 2.0**-12


class RandomOrder(nn.Module):
    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed
        self.orders: dict[int, Tensor] = {}

    def order(self, block: int, device: torch.device) -> Tensor:
        """The block's random order, (LENGTH,) int64, without ties."""
        if block not in self.orders:
            generator = torch.Generator().manual_seed(BLOCKS * self.seed + block)
            self.orders[block] = torch.randperm(LENGTH, generator=generator)
        self.orders[block] = self.orders[block].to(device)
        return self.orders[block]

    def forward(self, view: View) -> Tensor:
        return self.window(view.pixels, view.block, view.patches)  # (B, n)

    def of_patches(self, pixels: Tensor, block: int = 0) -> Tensor:
        """The order of all patches of a clip's input, pixels (B, P, C) -> (B, P)."""
        return self.window(pixels, block, torch.arange(pixels.shape[1], device=pixels.device)[None])

    def window(self, pixels: Tensor, block: int, patches: Tensor) -> Tensor:
        """Places of patches, (B, n) or (1, n) numbers, in a block's order -> (B, n)."""
        first = content(pixels)  # (B,)
        return self.order(block, pixels.device)[(first[:, None] + patches) % LENGTH]


def content(pixels: Tensor) -> Tensor:
    """A number for each clip, (B,) int64 >= 0: an exact sum over its pixels (B, P, C), rounded to steps."""
    return (pixels.float() / STEP).round().to(torch.int64).sum((1, 2)) % LENGTH
