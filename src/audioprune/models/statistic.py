"""Ranking by a statistic of the input's patches instead of attention, as it should be and as it was released.

fixed         a survivor's rank is its own patch's statistic; extra tokens stay.
as_released   the released gather (released code: forward_with_custom_rank of both models). Ranks of the n non-extra
              tokens are sorted, and their indices 0..n-1 are looked up in the whole sequence of e + n tokens without
              adding e: the tokens taken lie e places before the ranked ones, and the extra tokens are lost unless an
              index below e happens to name one. The sequence then has K tokens, but the next K is still computed as
              ceil(keep_rate (K - e)), and pooling still takes its first e tokens for extra ones: AudioMAE leaves out
              the token of the highest rank, AST averages those of the two highest.
              # ASSUME: ranks travel along by the same indices, so they arrive sorted at the next location, and with
              ties broken by order every later selection keeps the first K tokens of the sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from audioprune.errors import UserError
from audioprune.facts.method import VARIANTS
from audioprune.models.pruner import Pruner, View


def build(statistic: Callable[[Tensor], Tensor], variant: str) -> Pruner:
    """statistic: pixels (B, P, C) -> (B, P)."""
    if variant not in VARIANTS:
        raise UserError(f"variant={variant!r} is none of {', '.join(VARIANTS)}")
    rank = fixed if variant == "fixed" else as_released
    return Pruner(partial(rank, statistic), off_by_e=variant == "as_released")


def fixed(statistic: Callable[[Tensor], Tensor], view: View) -> Tensor:
    return statistic(view.pixels).gather(1, view.patches)  # (B, n)


def as_released(statistic: Callable[[Tensor], Tensor], view: View) -> Tensor:
    if view.extra:  # the first selection
        return fixed(statistic, view)
    return -torch.arange(view.numbers.shape[1], device=view.numbers.device).expand(view.numbers.shape)  # (B, n)


def patch_mean(pixels: Tensor) -> Tensor:
    """Intensity, (B, P, C) -> (B, P). A sum, not Tensor.mean: a profiler must find no multiplication in a ranking."""
    return pixels.float().sum(-1) / pixels.shape[-1]


def patch_std(pixels: Tensor) -> Tensor:
    """Variation: unbiased (ddof 1) standard deviation, (B, P, C) -> (B, P)."""
    return pixels.float().std(-1)
