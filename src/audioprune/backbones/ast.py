"""AST: prediction from the class and distillation tokens; topk ranks by attention from the class token (P0 Eq. 2b)."""

from __future__ import annotations

from torch import Tensor

from audioprune.backbones import _deit, _family
from audioprune.pruning._base import Survivors, Tokens


def tokens(frames: int, patch: int = 16, stride: int = 16) -> Tokens:
    time, freq = _family.time_freq(frames, patch, stride)
    return Tokens(extra=2, orientation="freq", time=time, freq=freq, score="cls")


def pool(x: Tensor, survivors: Survivors) -> Tensor:
    """Mean of the class and distillation tokens, (B, 2 + n, D) -> (B, D)."""
    return (x[:, 0] + x[:, 1]) / 2


def build(*, frames: int, patch: int = 16, stride: int = 16, **settings) -> _deit.Model:
    return _deit.Model(
        tokens=tokens(frames, patch, stride), pool=pool, frames=frames, patch=patch, stride=stride, **settings
    )
