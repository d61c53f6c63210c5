"""AST-MP: AST, but the prediction is from the mean over the patch tokens (P0 section 5; never released).

# ASSUME: as in the other mean-pooled model, topk ranks by the global score.
"""

from __future__ import annotations

from audioprune.backbones import _deit, _family, _vit
from audioprune.pruning._base import Tokens


def tokens(frames: int, patch: int = 16, stride: int = 16) -> Tokens:
    time, freq = _family.time_freq(frames, patch, stride)
    return Tokens(extra=2, orientation="freq", time=time, freq=freq, score="global")


def build(*, frames: int, patch: int = 16, stride: int = 16, **settings) -> _deit.Model:
    return _deit.Model(
        tokens=tokens(frames, patch, stride), pool=_vit.mean, frames=frames, patch=patch, stride=stride, **settings
    )
