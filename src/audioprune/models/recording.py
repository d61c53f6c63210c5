"""Which patches a model keeps, noted while it runs, by any reducer that keeps whole tokens."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from audioprune.facts.tokens import Attention
from audioprune.models.pruner import Reducer, Survivors


class Recording(nn.Module):
    """A reducer (see pruner.Reducer) that does what another one does.

    kept    selecting block -> (B, K) patch ids of the tokens that are left of the input, -1: a prefix token; nothing
            where one token stands for several patches, or tokens go without being cut out
    """

    def __init__(self, reducer: Reducer):
        super().__init__()
        self.reducer = reducer
        self.kept: dict[int, Tensor] = {}

    @property
    def attention(self) -> Attention | Literal["keys"] | None:
        return self.reducer.attention

    @property
    def released_gather(self) -> bool:
        return self.reducer.released_gather

    @property
    def r(self) -> int | None:
        return self.reducer.r

    def reduce(
        self, x: Tensor, survivors: Survivors, *, keep_rate: float, block: int, seen: Tensor | None
    ) -> tuple[Tensor, Survivors]:
        x, survivors = self.reducer.reduce(x, survivors, keep_rate=keep_rate, block=block, seen=seen)
        if survivors.sizes is None:
            self.kept[block] = survivors.patch_ids[:, survivors.prefix :]
        return x, survivors
