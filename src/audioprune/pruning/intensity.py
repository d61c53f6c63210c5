"""Intensity pruning: keep the patches of highest mean (released code: custom_rank="mean")."""

from __future__ import annotations

from audioprune.pruning import _statistic
from audioprune.pruning._base import Pruner, Tokens


def build(tokens: Tokens, *, variant: str = "fixed") -> Pruner:
    """variant: fixed | as_released, the gather that is off by the extra tokens."""
    return _statistic.build(_statistic.patch_mean, variant)
