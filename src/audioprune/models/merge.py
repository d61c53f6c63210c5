"""Merging tokens into the most similar ones (ToMe, Bolya et al. 2023): a reducer without ranks and kept indices.

Letters: B clips, N tokens of which e are prefix and n = N - e are not, d width of a head, D width.

At a merging block, between attention and MLP, the non-prefix tokens are split in turn into sources and targets. Each
source finds the target whose key is most like its own (cosine; keys averaged over heads); the r sources that are most
like theirs are merged into them, by the mean over all patches that the tokens stand for. What stays is put in the
order prefix tokens, sources, targets, so that the next split is another one. Prefix tokens take no part. A key of a
token that stands for s patches gets log s added to its attention logits (proportional attention), as if it stood there
s times.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audioprune.errors import UserError
from audioprune.facts.tokens import keep_count
from audioprune.models.pruner import Survivors
from audioprune.models.select import select, wide


class Merger(nn.Module):
    """A reducer (see pruner.Reducer) without ranks and kept indices."""

    attention: Literal["keys"]
    attention, released_gather = "keys", False

    def __init__(self, r: int | None, *, proportional: bool):
        super().__init__()
        self.r, self.merge = r, Merge(proportional)

    def count(self, keep_rate: float, n: int) -> int:
        """How many of n non-prefix tokens are merged away; UserError where the keep-rate asks for more than half."""
        if self.r is not None:
            return min(self.r, n // 2)
        count = n - keep_count(keep_rate, n)
        if count > n // 2:
            raise UserError(
                f"tome at keep_rate={keep_rate} has to merge {count} of {n} tokens, and one step can merge at most "
                f"half of them, {n // 2}: use a keep-rate of 0.5 or more"
            )
        return count

    def reduce(
        self, x: Tensor, survivors: Survivors, *, keep_rate: float, block: int, seen: Tensor | None
    ) -> tuple[Tensor, Survivors]:
        """x (B, N, D), keys `seen` (B, N, d) -> (B, N - r, D), and who they stand for: `patch_ids` are the targets'."""
        count = self.count(keep_rate, int(x.shape[1]) - survivors.prefix)
        return self.merge(x, survivors, seen, count) if count else (x, survivors)


class Merge(nn.Module):
    """One merging step of `count` sources. A module, so that a profiler can be kept out (profiling/traced.py)."""

    def __init__(self, proportional: bool):
        super().__init__()
        self.proportional = proportional

    def forward(self, x: Tensor, survivors: Survivors, keys: Tensor, count: int) -> tuple[Tensor, Survivors]:
        e = survivors.prefix
        sources, targets = split(e)
        stay, leave, into = match(keys, e, count)

        def kept(values: Tensor) -> tuple[Tensor, Tensor]:
            """Prefix tokens and the sources that stay, as they were; targets, before the merge."""
            return torch.cat([values[:, :e], select(values[:, sources], stay)], dim=1), values[:, targets]

        sizes = x.new_ones(x.shape[:2]) if survivors.sizes is None else survivors.sizes
        same, number = kept(survivors.patch_ids)
        patch_ids = torch.cat([same, number], dim=1)
        alone, size = kept(sizes)
        merged_size = size.scatter_add(1, into, select(sizes[:, sources], leave))  # (B, targets)
        same, value = kept(x)
        gone = select((x * sizes[..., None])[:, sources], leave)  # (B, r, D)
        total = (value * size[..., None]).scatter_add(1, wide(into, x), gone)
        x = torch.cat([same, total / merged_size[..., None]], dim=1)
        sizes = torch.cat([alone, merged_size], dim=1)
        return x, replace(survivors, patch_ids=patch_ids, sizes=sizes, bias=sizes.log() if self.proportional else None)


def split(prefix: int) -> tuple[slice, slice]:
    """Places of sources and targets: even and odd ones of the whole sequence; prefix tokens count and are left out."""
    return slice(prefix + prefix % 2, None, 2), slice(prefix + 1 - prefix % 2, None, 2)


@torch.no_grad()
def match(keys: Tensor, prefix: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """keys (B, N, d) -> sources that stay in their order, sources that leave (B, count), and their targets (B, count).

    Each by its number among the sources or targets. Of equal similarities the first counts.
    """
    sources, targets = split(prefix)
    unit = F.normalize(keys.float(), dim=-1)
    best, target = (unit[:, sources] @ unit[:, targets].transpose(1, 2)).max(2)  # (B, sources)
    order = best.argsort(dim=1, descending=True, stable=True)
    leave = order[:, :count]
    return order[:, count:].sort(dim=1).values, leave, target.gather(1, leave)
