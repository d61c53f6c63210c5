"""TopK: keep the tokens that receive the most attention at the pruning block (P0 Eq. 1 to 2b; after EViT).

score="global"          mean over heads and over the non-prefix queries, for non-prefix keys (released models_vit.py)
score="global_literal"  mean over heads and over all queries, prefix tokens included (P0 Eq. 2a as printed)
score="cls"             mean over heads of the class token's row (P0 Eq. 2b; AST, where the distillation row is ignored)

Default: the backbone's own, global for mean-pooled ones, cls for AST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from audioprune.errors import UserError
from audioprune.facts.method import Method
from audioprune.facts.tokens import Attention

if TYPE_CHECKING:
    from torch import Tensor

    from audioprune.facts.tokens import Tokens
    from audioprune.models.pruner import Pruner, View

FACTS = Method(name="topk", runs_on=("patches", "frames"), scored=True, choices={"score": get_args(Attention)})


def build(tokens: Tokens, *, score: Attention | None = None) -> Pruner:
    """score: None stands for the backbone's own."""
    from audioprune.models.pruner import Pruner

    chosen = tokens.score if score is None else score
    if chosen not in get_args(Attention):
        raise UserError(f"topk: score={chosen!r} is none of {', '.join(get_args(Attention))}")
    return Pruner(received, attention=chosen)


def received(view: View) -> Tensor:
    assert view.score is not None
    return view.score  # (B, n)
