"""Clips of any length end to end in one row of tokens: none is padded, and each attends and is pruned as if alone.

Letters: B clips, C columns of a clip, e prefix tokens, n other tokens of a clip, R tokens of the row (all clips, prefix
tokens included), N tokens of its longest clip, P tokens of the model's grid, D width, H heads, d = D / H.

Everything is the model's own but attention, which is a parameter: on a GPU FlashAttention for sequences of unequal
length. A clip has the tokens that it has alone (models.native) and keeps ceil(keep_rate n) of them. Ranks (B, n) are
the only thing of a block that has places for what shorter clips lack; nothing is computed there but their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from audioprune.errors import UserError
from audioprune.facts.packed import NEEDS, PRECISIONS
from audioprune.facts.tokens import PATCH, keep_count
from audioprune.models import deit, mae, vit
from audioprune.models.family import Classifier
from audioprune.models.native import first_columns, padded
from audioprune.models.pruner import Pruner, Reducer, Survivors, View, advance, gather_kept


class Row:
    """Where the tokens of each clip lie in the row."""

    def __init__(self, lengths: Sequence[int], device: torch.device):
        own = torch.tensor(lengths)
        ends = own.cumsum(0)
        clip = torch.arange(len(lengths)).repeat_interleave(own)
        place = torch.arange(len(clip)) - (ends - own)[clip]
        self.lengths, self.longest = tuple(lengths), max(lengths)
        self.clip = clip.to(device, non_blocking=True)  # (R,) of each token its clip
        self.place = place.to(device, non_blocking=True)  # (R,) and its place in that
        self.starts = F.pad(ends, (1, 0)).to(device, torch.int32, non_blocking=True)  # (B + 1,)

    def spread(self, x: Tensor, fill: float) -> Tensor:
        """(R, ...) -> (B, N, ...), with `fill` behind shorter clips."""
        out = x.new_full((len(self.lengths), self.longest, *x.shape[1:]), fill)
        out[self.clip, self.place] = x
        return out

    def joined(self, x: Tensor) -> Tensor:
        """(B, N, ...) -> (R, ...)."""
        return x[self.clip, self.place]


Attend = Callable[[Tensor, Tensor, Tensor, Row], Tensor]  # queries, keys, values (R, H, d), whose -> (R, H, d)


def flash(q: Tensor, k: Tensor, v: Tensor, row: Row) -> Tensor:
    """Attention among the tokens of each clip."""
    from torch.nn.attention.varlen import varlen_attn

    out = varlen_attn(q, k, v, row.starts, row.starts, row.longest, row.longest)
    assert isinstance(out, Tensor), "no log-sum-exp was asked for"
    return out


def kernel_of(device: torch.device, precision: str) -> Attend:
    """UserError where there is none."""
    if device.type != "cuda" or precision not in PRECISIONS:
        raise UserError(NEEDS)
    return flash


@dataclass(frozen=True)
class Ends:
    """What a family has before its blocks and behind them."""

    patch_embed: vit.PatchEmbed
    prefix: Tensor  # (1, e, D) with their positions
    positions: Tensor  # (1, P, D)
    norm: nn.Module  # of each token, before pooling
    said: Callable[[Tensor, Survivors], Tensor]  # normalised tokens (B, N, D) and which they are -> logits


def ends_of(model: deit.Model | mae.Model) -> Ends:
    if isinstance(model, deit.Model):
        v, said = model.v, lambda x, survivors: model.mlp_head(model.pool(x, survivors))
        prefix = torch.cat([v.cls_token, v.dist_token], dim=1) + v.pos_embed[:, :2]
        return Ends(v.patch_embed, prefix, v.window.of(v.pos_embed), v.norm, said)
    said = lambda x, survivors: model.head(model.fc_norm(vit.mean(x, survivors)))  # noqa: E731
    prefix = model.cls_token + model.pos_embed[:, :1]
    return Ends(model.patch_embed, prefix, model.window.of(model.pos_embed), nn.Identity(), said)


class Packed:
    """A model in evaluation mode on clips in a row; it prunes as the model is set to."""

    def __init__(self, model: Classifier, attend: Attend):
        if not isinstance(model, deit.Model | mae.Model) or (model.patch, model.stride) != (PATCH, PATCH):
            raise UserError(f"packed takes AST and AudioMAE with patches of {PATCH} side by side: use bucketed")
        self.model, self.attend = model, attend
        self.first = cache(lambda columns: first_columns(model.tokens, columns))

    def __call__(self, x: Tensor, columns: Sequence[int]) -> Tensor:
        """Normalised log-mel (B, F, 128), of which a clip fills so many columns -> logits (B, classes)."""
        tokens, survivors, row = self.encode(x, columns)
        ends, ones = ends_of(self.model), tokens.new_ones(tokens.shape[1])
        whole = Survivors(
            survivors.patch_ids, survivors.pixels, survivors.prefix, survivors.own_prefix, sizes=row.spread(ones, 0)
        )
        return ends.said(row.spread(ends.norm(tokens)[0], 0), whole)

    def encode(self, x: Tensor, columns: Sequence[int]) -> tuple[Tensor, Survivors, Row]:
        """Tokens after the last block (1, R, D); which they are, (B, N) with anything behind shorter clips; whose."""
        x, survivors, row = self._embedded(x, columns)
        pruning = self.model.pruning
        for i, block in enumerate(self.model.blocks):
            q, k, v = (one[0].transpose(0, 1) for one in block.attn.split(block.attn.qkv(block.norm1(x))))  # (R, H, d)
            x = x + block.attn.proj(self.attend(q, k, v, row).flatten(1)[None])
            if (pruner := _checked(pruning.at(i))) is not None:
                score = received(q, k, row)[:, survivors.prefix :] if pruner.attention else None
                x, survivors, row = selected(x, survivors, row, pruner, pruning.keep_rate, i, score)
            x = x + block.mlp(block.norm2(x))
        return x, survivors, row

    def _embedded(self, x: Tensor, columns: Sequence[int]) -> tuple[Tensor, Survivors, Row]:
        """As vit.embed, for the patches of each clip's own columns."""
        ends, e = ends_of(self.model), self.model.tokens.prefix
        pixels = self.model.pixels(padded(x, self.model.frames))  # (B, P, C)
        numbers = [self.first(own) for own in columns]
        patches, row = (Row([more + len(own) for own in numbers], x.device) for more in (0, e))
        ids = pad_sequence(numbers, batch_first=True).to(x.device, non_blocking=True)  # (B, N - e)
        own = patches.joined(ids)  # (R - B e,)
        tokens = ends.patch_embed(pixels[patches.clip, own]) + ends.positions[0, own]
        tokens = torch.cat([ends.prefix[0], tokens])  # the prefix tokens once, then the patches of all clips
        among = torch.arange(len(row.clip), device=x.device) - e * row.clip  # of each token of the row, unless prefix
        tokens = tokens[torch.where(row.place < e, row.place, among)]
        return tokens[None], Survivors(F.pad(ids, (e, 0), value=-1), pixels, prefix=e, own_prefix=e), row


def _checked(pruner: Reducer | None) -> Pruner | None:
    if pruner is None:
        return None
    if not isinstance(pruner, Pruner) or pruner.change is not None or pruner.released_gather:
        raise UserError(f"packed selects by rank alone, which {type(pruner).__name__} does not: use bucketed")
    if pruner.attention not in (None, "cls"):
        raise UserError(f"packed has no attention map, and score {pruner.attention} needs one: use bucketed")
    return pruner


def received(q: Tensor, k: Tensor, row: Row) -> Tensor:
    """Attention that each token receives from its clip's first, the mean over heads: (B, N), 0 behind shorter clips.

    In float32 from queries and keys (R, H, d).
    """
    first = q[row.starts[:-1]].float()[row.clip]  # (R, H, d)
    logits = (first * k.float()).sum(-1) * q.shape[-1] ** -0.5  # (R, H)
    return row.spread(logits, -torch.inf).softmax(1).mean(2)


def selected(
    x: Tensor, survivors: Survivors, row: Row, pruner: Pruner, keep_rate: float, block: int, score: Tensor | None
) -> tuple[Tensor, Survivors, Row]:
    """As pruner.prune, by each clip's own count: tokens (1, R, D) -> those that stay, which, and whose."""
    e = survivors.prefix
    counts = [keep_count(keep_rate, length - e) for length in row.lengths]
    ranks = pruner.rank(View(block, max(counts), e, survivors.patch_ids, survivors.pixels, score))  # (B, N - e)
    least = -torch.inf if ranks.is_floating_point() else torch.iinfo(ranks.dtype).min
    places = torch.arange(row.longest, device=x.device)
    behind = places[: row.longest - e] >= row.starts.diff()[:, None] - e
    order = ranks.masked_fill(behind, least).argsort(dim=1, descending=True, stable=True)[:, : max(counts)]
    left = Row([e + count for count in counts], x.device)
    taken = gather_kept(places.expand(len(counts), -1), order, e) + row.starts[:-1, None]  # (B, e + K)
    return x[:, left.joined(taken)], advance(survivors, order), left
