"""The protocol of token pruning, and the only place where indices meet tokens.

Letters: B clips, P patches of an input, e prefix tokens (class, distillation), n non-prefix tokens entering a selecting
block, K tokens it keeps, D width, C pixels of a patch.

A method is a module of this package (see facts.method) whose `build(tokens, **options)` gives a Pruner: it ranks the
tokens, nothing else. At a selecting block, after attention and its residual, the K = ceil(keep_rate n) tokens of the
highest rank stay, by descending rank; prefix tokens always stay (P0 section 3; released code: models_vit.py). Ties go
to the token that comes first, so that a selection never depends on a sorting algorithm; statistic.Released, which
repeats the released code, is the one that breaks both rules.

A block knows of a `Reducer` only. What is not a selection is another one than Pruner: merge.Merger merges tokens, and
discard.Discard takes them away without a rank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from audioprune.facts.tokens import Attention, keep_count
from audioprune.models.select import select


@dataclass(frozen=True)
class View:
    """What a selecting block shows to a pruner."""

    block: int  # zero-based
    count: int  # K
    prefix: int  # prefix tokens at the front of the sequence; 0 once `as_released` has lost them
    patch_ids: Tensor  # (B, prefix + n) input patch number of every token of the sequence, -1: a prefix token
    pixels: Tensor  # (B, P, C) normalised pixels of all patches of the input, in token order
    score: Tensor | None  # (B, n) attention received, when the pruner asks for it

    @property
    def patches(self) -> Tensor:
        """Input patch number of the tokens that can be pruned, (B, n)."""
        return self.patch_ids[:, self.prefix :]


@dataclass(frozen=True)
class Survivors:
    """The state that travels with the tokens through the blocks."""

    patch_ids: Tensor  # (B, prefix + n)
    pixels: Tensor  # (B, P, C)
    prefix: int  # prefix tokens now at the front
    own_prefix: int  # e: prefix tokens of the backbone, which K is computed with
    sizes: Tensor | None = None  # (B, prefix + n) patches that a token stands for, 0: it is gone; None: one each
    bias: Tensor | None = None  # (B, prefix + n) added to the attention logits of a key; None: nothing


class Reducer(Protocol):
    """What a block does with its tokens between attention and MLP.

    attention        what of the attention it is shown as `seen`: a score (B, n), "keys" summed over heads (B, N, d), or
                     None
    released_gather  whether it loses the prefix tokens
    r                None, or how many tokens go in every block, whatever the keep-rate
    """

    @property
    def attention(self) -> Attention | Literal["keys"] | None: ...

    @property
    def released_gather(self) -> bool: ...

    @property
    def r(self) -> int | None: ...

    def reduce(
        self, x: Tensor, survivors: Survivors, *, keep_rate: float, block: int, seen: Tensor | None
    ) -> tuple[Tensor, Survivors]: ...


class Counting(Reducer, Protocol):
    """One that says how many of n tokens go."""

    def count(self, keep_rate: float, n: int) -> int: ...


class Pruner(nn.Module):
    """View -> indices of the kept tokens (B, K) among the n non-prefix ones, by descending rank. Has no parameters.

    rank             View -> (B, n), higher stays
    attention        the attention score it needs in View.score, if any
    released_gather  that of statistic.Released: indices are looked up in the whole sequence, prefix tokens included and
                     lost
    change           (order (B, n), View) -> (B, K): replaces the first K of the order, in evaluation mode only
    """

    released_gather, r = False, None

    def __init__(
        self,
        rank: Callable[[View], Tensor],
        *,
        attention: Attention | None = None,
        change: Callable[[Tensor, View], Tensor] | None = None,
    ):
        super().__init__()
        self.rank, self.attention, self.change = rank, attention, change

    @torch.no_grad()
    def forward(self, view: View) -> Tensor:
        order = self.rank(view).argsort(dim=1, descending=True, stable=True)  # (B, n)
        if self.change is not None and not self.training:
            return self.change(order, view)
        return order[:, : view.count]  # (B, K)

    def reduce(
        self, x: Tensor, survivors: Survivors, *, keep_rate: float, block: int, seen: Tensor | None
    ) -> tuple[Tensor, Survivors]:
        return prune(x, survivors, self, keep_rate=keep_rate, block=block, score=seen)


class Pruning(nn.Module):
    """Who selects, where and how much: what a backbone is given. `keep_rate` may be set anew; 1: no selection."""

    def __init__(self, pruner: Reducer | None = None, *, blocks: Sequence[int] = (), keep_rate: float = 1.0):
        super().__init__()
        self.pruner, self.blocks, self.keep_rate = pruner, frozenset(blocks), keep_rate

    def at(self, block: int) -> Reducer | None:
        """The pruner, if this block selects."""
        return self.pruner if self.keep_rate < 1 and block in self.blocks else None


def gather_kept(x: Tensor, keep: Tensor, num_prefix_tokens: int) -> Tensor:
    """Keep the prefix tokens and, of the others, those of index `keep`, in that order.

    x (B, e + n, D) or (B, e + n), keep (B, K) in 0..n-1 -> (B, e + K, D) or (B, e + K).
    """
    if num_prefix_tokens == 0:
        return select(x, keep)
    return torch.cat([x[:, :num_prefix_tokens], select(x[:, num_prefix_tokens:], keep)], dim=1)


def advance(survivors: Survivors, keep: Tensor, *, released_gather: bool = False) -> Survivors:
    """Compose a selection with those before it: numbers stay those of the input's patches."""
    prefix = 0 if released_gather else survivors.prefix
    return replace(survivors, patch_ids=gather_kept(survivors.patch_ids, keep, prefix), prefix=prefix)


def prune(
    x: Tensor, survivors: Survivors, pruner: Pruner, *, keep_rate: float, block: int, score: Tensor | None
) -> tuple[Tensor, Survivors]:
    """One selection: x (B, prefix + n, D) -> (B, prefix + K, D), and the survivors' state."""
    count = keep_count(keep_rate, int(x.shape[1]) - survivors.own_prefix)
    keep = pruner(View(block, count, survivors.prefix, survivors.patch_ids, survivors.pixels, score))
    prefix = 0 if pruner.released_gather else survivors.prefix
    return gather_kept(x, keep, prefix), advance(survivors, keep, released_gather=pruner.released_gather)
