"""Selecting tokens by their indices, each at most once.

Letters: B clips, n tokens, K of them taken, D width. Sources: ours. The gradient of `torch.gather` adds up what may
have been taken several times; on a GPU that has to sort all of it to be deterministic, which took a sixth of a
fine-tuning step of ViT-B in bf16 (report/measured). Tokens are kept once or not at all, so here the gradient is a
gather too: each token takes back the gradient of its place, or zero.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def select(x: Tensor, index: Tensor) -> Tensor:
    """x (B, n, D) or (B, n), index (B, K) in 0..n-1, none of them twice in a clip -> (B, K, D) or (B, K)."""
    if torch.is_grad_enabled() and x.requires_grad:
        return _Select.apply(x, index)
    return x.gather(1, wide(index, x))  # a profiler counts this one


def wide(index: Tensor, x: Tensor) -> Tensor:
    """index (B, K) for values of x's further shape: (B, K) or (B, K, D)."""
    return index if x.ndim == 2 else index.unsqueeze(-1).expand(-1, -1, x.shape[-1])


class _Select(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.tokens = x.shape[1]
        return x.gather(1, wide(index, x))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        taken = index.shape[1]
        places = torch.arange(taken, device=index.device).expand_as(index)
        place = index.new_full((len(index), ctx.tokens), taken).scatter_(1, index, places)  # (B, n), K: not taken
        padded = F.pad(gradient, (0, 0) * (gradient.ndim - 2) + (0, 1))  # (B, K + 1, D), the last is zero
        return padded.gather(1, wide(place, gradient)), None
