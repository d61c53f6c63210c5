"""Sizes of the backbones, by the suffix of a backbone's name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    width: int
    depth: int
    num_heads: int


SIZES = {
    "b": Size(width=768, depth=12, num_heads=12),  # ViT-B: the paper's
    "tiny": Size(width=64, depth=12, num_heads=4),  # the paper's depth, trained in minutes on a CPU
}
