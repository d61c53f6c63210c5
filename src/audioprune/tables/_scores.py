"""By which attention topk ranks: the score it names, or the backbone's own."""

from __future__ import annotations

from audioprune.analyses import own_score


def score_of(backbone: str, pruning) -> str:
    """'global', 'cls' or 'global_literal' of topk; empty for all other methods."""
    return str(pruning.options.get("score", own_score(backbone))) if pruning.method == "topk" else ""


def full_label(backbone: str, method: str) -> str:
    """A label of results.label with topk's score written out: topk is topk.global or topk.cls."""
    return f"topk.{own_score(backbone)}" if method == "topk" else method
