"""What a backbone is: a family and a size. No torch.

A family is a module of audioprune.backbones: `FACTS = Family(...)`, and `build(tokens, **settings)`, which gives its
model and imports torch inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audioprune.facts.tokens import PATCH, Attention, Orientation, Tokens, grid


@dataclass(frozen=True)
class Family:
    """Facts of a family of backbones (paper.md 1.4).

    prefix         tokens before the patches: the class token, AST's distillation token
    orientation   the order of its patches (see facts.tokens)
    pooling       what the prediction is from: the mean over the patch tokens, or over the prefix ones
    norm_tokens   whether all tokens are normalised before pooling, and what is pooled again; else the latter only
    score         the attention by which topk ranks unless told otherwise
    like          the family whose recipes and pre-training stand for its own, where a study has none of its own
    """

    name: str
    prefix: int
    orientation: Orientation
    pooling: Literal["mean", "prefix"]
    norm_tokens: bool
    score: Attention
    like: str = ""

    def tokens(self, frames: int, patch: int = PATCH, stride: int = PATCH) -> Tokens:
        """Tokens of an input of `frames` frames."""
        time, freq = grid(frames, patch, stride)
        return Tokens(self.prefix, self.orientation, time, freq, self.score)


@dataclass(frozen=True)
class Size:
    """`small`: trained on a CPU, in one thread, beside others; the other sizes want a GPU."""

    width: int
    depth: int
    num_heads: int
    small: bool = False


SIZES = {
    "tiny": Size(width=64, depth=12, num_heads=4, small=True),  # the paper's depth, trained in minutes on a CPU
    "b": Size(width=768, depth=12, num_heads=12),  # ViT-B: the paper's
}


@dataclass(frozen=True)
class Backbone:
    """A backbone as users name it, such as ast-mp-tiny: the family ast-mp in the size tiny."""

    name: str
    family: Family
    size: Size
