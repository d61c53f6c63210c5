"""Pool: average neighbours to a lower frame rate, whatever they hold.

Frame j of n goes to group floor(j K / n); a group becomes its mean, in which a frame that stands for several counts as
often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from audioprune.facts.tokens import Tokens
    from audioprune.models.runs import Runs

FACTS = Method(name="pool", ranks=False, merges=True, runs_on=("frames",))


def build(tokens: Tokens) -> Runs:
    from audioprune.models.runs import Runs

    return Runs(groups)


def groups(x: Tensor, seen: Tensor | None, count: int) -> Tensor:
    """x (B, n, D) -> the group of every frame, (B, n) in 0 ... K - 1, never falling."""
    import torch

    n = int(x.shape[1])
    return (torch.arange(n, device=x.device) * count // n).expand(x.shape[0], n)
