"""What can be timed on clips that lie end to end in one row of tokens (batching `packed`), and what cannot. No torch.

Attention among a clip's own tokens is then FlashAttention's for sequences of unequal length, which has no map.
"""

from __future__ import annotations

from audioprune.facts.method import Method
from audioprune.facts.tokens import Attention

NEEDS = "packed needs a CUDA GPU and fp16 or bf16: use bucketed"
PRECISIONS = ("fp16", "bf16")


def refusal(method: Method, score: Attention) -> str:
    """Why a method cannot prune clips in a row; empty where it can. `score`: by which topk ranks in this backbone."""
    if method.merges:
        return f"packed has no merging, and {method.name} merges tokens: use bucketed"
    if method.scored and score != "cls":
        return f"packed has no attention map, and {method.name} ranks by one here (score {score}): use bucketed"
    return ""
