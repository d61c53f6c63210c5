"""Adjacent: merge runs of neighbours that are most alike (after A-ToMe, arXiv 2306.16009).

Two neighbours are linked by the cosine of their keys (summed over heads). The n - K strongest links, the earlier of
equals, join their frames; a run of joined frames becomes its mean, in which a frame that stands for several counts as
often, and later keys of a run of z frames get log z added to their attention logits, as if it stood there z times.
Each link takes away one frame, so any keep-rate can be met, which bipartite merging cannot do below one half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from audioprune.facts.tokens import Tokens
    from audioprune.models.runs import Runs

FACTS = Method(name="adjacent", ranks=False, merges=True, runs_on=("frames",))


def build(tokens: Tokens) -> Runs:
    from audioprune.models.runs import Runs

    return Runs(groups, starts)


def groups(x: Tensor, seen: Tensor | None, count: int) -> Tensor:
    """Keys `seen` (B, n, d) -> the group of every frame, (B, n) in 0 ... K - 1, never falling."""
    import torch

    assert seen is not None
    order = starts(seen)[:, 1:].argsort(dim=1, stable=True)  # links, the strongest first
    begins = torch.ones(x.shape[:2], dtype=torch.int64, device=x.device)  # 1 where a run begins
    return begins.scatter_(1, 1 + order[:, : x.shape[1] - count], 0).cumsum(1) - 1


def starts(seen: Tensor) -> Tensor:
    """Keys (B, n, d) -> (B, n): minus the cosine of each frame and the one before; infinite for the first."""
    import torch
    import torch.nn.functional as F

    keys = F.normalize(seen.float(), dim=-1)
    links = (keys[:, :-1] * keys[:, 1:]).sum(-1)  # (B, n - 1)
    return torch.cat([torch.full_like(links[:, :1], float("inf")), -links], dim=1)
