"""Variation pruning: keep the patches of highest standard deviation (released code: custom_rank="std")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.method import VARIANTS, Method

if TYPE_CHECKING:
    from audioprune.facts.tokens import Tokens
    from audioprune.models.pruner import Pruner

FACTS = Method(name="variation", loses_prefix=("variant", "as_released"), choices={"variant": VARIANTS})


def build(tokens: Tokens, *, variant: str = "fixed") -> Pruner:
    """variant: fixed | as_released, the gather that is off by the prefix tokens."""
    from audioprune.models import statistic

    return statistic.build(statistic.patch_std, variant)
