"""AudioMAE: self-supervised, prediction from the mean over the patches; topk ranks by the global score (P0 Eq. 2a)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.facts.backbone import Family

if TYPE_CHECKING:
    from audioprune.facts.tokens import Tokens
    from audioprune.models.mae import Model

FACTS = Family(name="audiomae", prefix=1, orientation="time", pooling="mean", norm_tokens=False, score="global")


def build(tokens: Tokens, **settings: Any) -> Model:
    from audioprune.models.mae import Model

    return Model(tokens=tokens, **settings)
