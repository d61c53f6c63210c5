"""AST-MP: AST, but the prediction is from the mean over the patch tokens (P0 section 5; never released).

# ASSUME: as in the other mean-pooled model, topk ranks by the global score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.facts.backbone import Family

if TYPE_CHECKING:
    from audioprune.facts.tokens import Tokens
    from audioprune.models.deit import Model

FACTS = Family(
    name="ast-mp", prefix=2, orientation="freq", pooling="mean", norm_tokens=True, score="global", like="ast"
)


def build(tokens: Tokens, **settings: Any) -> Model:
    from audioprune.models.deit import Model

    return Model(tokens=tokens, pooling=FACTS.pooling, **settings)
