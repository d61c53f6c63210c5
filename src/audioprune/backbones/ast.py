"""AST: prediction from the class and distillation tokens; topk ranks by attention from the class token (P0 Eq. 2b)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.facts.backbone import Family

if TYPE_CHECKING:
    from audioprune.facts.tokens import Tokens
    from audioprune.models.deit import Model

FACTS = Family(name="ast", prefix=2, orientation="freq", pooling="prefix", norm_tokens=True, score="cls")


def build(tokens: Tokens, **settings: Any) -> Model:
    from audioprune.models.deit import Model

    return Model(tokens=tokens, pooling=FACTS.pooling, **settings)
