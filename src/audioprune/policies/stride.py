"""Stride: keep frames that lie evenly in time, whatever they hold. The static rival of every ranking.

Of n frames the K of index floor((2 i + 1) n / (2 K)), i = 0 ... K - 1, stay: the middles of K equal parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from audioprune.facts.tokens import Tokens
    from audioprune.models.pruner import Pruner, View

FACTS = Method(name="stride", ranks=False, runs_on=("frames",))


def build(tokens: Tokens) -> Pruner:
    from audioprune.models.pruner import Pruner

    return Pruner(even)


def even(view: View) -> Tensor:
    """1 for the frames that stay and 0 for the others, (B, n)."""
    import torch

    n, count = view.patches.shape[1], view.count
    places = [
        (2 * i + 1) * n // (2 * count) for i in range(count)
    ]  # a profiler must find no multiplication in a ranking
    middles = torch.tensor(places, device=view.patch_ids.device)  # (K,)
    return torch.zeros(view.patches.shape, device=view.patch_ids.device).index_fill_(1, middles, 1.0)
