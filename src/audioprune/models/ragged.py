"""Tokens of clips of unequal length: attention among a clip's own, and every clip pruned as if it were alone.

Letters: B clips, n tokens of a clip, N those of the longest, D width, H heads, d = D / H, P tokens of a clip's input, C
pixels of a token. Tokens lie in the order of time, a clip's own first; what lies behind them is padding, which gets no
attention, gives none to a score and is in no selection. So a clip's result does not depend on its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from audioprune.models import scores
from audioprune.models.policy import asks_head
from audioprune.models.pruner import Reducer, Survivors


@dataclass(frozen=True)
class Ragged:
    x: Tensor  # (B, N, D)
    clips: tuple[Survivors, ...]  # each of one clip: numbers (1, n), pixels (1, P, C)

    @property
    def lengths(self) -> list[int]:
        """n of each clip."""
        return [clip.patch_ids.shape[1] for clip in self.clips]

    def bias(self) -> Tensor | None:
        """Added to the attention logits of each key, (B, N); None where nothing is merged and no clip is padded."""
        lengths = self.lengths
        if min(lengths) == max(lengths) and all(clip.bias is None for clip in self.clips):
            return None
        own = [torch.zeros(n) if c.bias is None else c.bias[0] for c, n in zip(self.clips, lengths, strict=True)]
        return pad_sequence([one.to(self.x.device) for one in own], batch_first=True, padding_value=-torch.inf)


class Layer(Protocol):
    """A transformer block in its three parts, between which tokens are pruned."""

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, N, D) -> queries, keys, values, each (B, H, N, d)."""
        ...

    def joined(self, x: Tensor, branch: Tensor) -> Tensor:
        """x (B, N, D) after attention, whose branch is (B, H, N, d), and its residual."""
        ...

    def fed(self, x: Tensor) -> Tensor:
        """x (B, N, D) after the MLP and its residual."""
        ...


def through(
    layer: Layer,
    tokens: Ragged,
    policy: Reducer | None,
    *,
    keep_rate: float,
    block: int,
    eager: bool,
    said: Tensor | None,
) -> Ragged:
    """Tokens after a block, in which a policy prunes them. `said` (B, N): scores by the auxiliary head."""
    q, k, v = layer.heads(tokens.x)
    bias = tokens.bias()
    branch, attention = _eager(q, k, v, bias) if eager else (_fused(q, k, v, bias), None)
    tokens = replace(tokens, x=layer.joined(tokens.x, branch))
    if policy is not None:
        seen = [_seen(policy, i, n, q, k, attention, said) for i, n in enumerate(tokens.lengths)]
        tokens = reduced(tokens, policy, keep_rate=keep_rate, block=block, seen=seen)
    return replace(tokens, x=layer.fed(tokens.x))


def reduced(tokens: Ragged, policy: Reducer, *, keep_rate: float, block: int, seen: Sequence[Tensor | None]) -> Ragged:
    """What a policy leaves of each clip; `seen` is what it wants to see of each."""
    parts, clips = [], []
    for i, (clip, n) in enumerate(zip(tokens.clips, tokens.lengths, strict=True)):
        x, left = policy.reduce(tokens.x[i : i + 1, :n], clip, keep_rate=keep_rate, block=block, seen=seen[i])
        parts.append(x[0])
        clips.append(left)
    return Ragged(pad_sequence(parts, batch_first=True), tuple(clips))


def _seen(
    policy: Reducer, i: int, n: int, q: Tensor, k: Tensor, attention: Tensor | None, said: Tensor | None
) -> Tensor | None:
    """Of clip i, whose own tokens are the first n: keys summed over heads (1, n, d), a score (1, n), or nothing."""
    if asks_head(policy):
        assert said is not None
        return said[i : i + 1]
    wanted = policy.attention
    if wanted is None:
        return None
    keys = k[i : i + 1, :, :n]
    if wanted == "keys":
        return keys.detach().sum(1)
    if attention is not None:
        return scores.of_map(attention[i : i + 1, :, :n, :n], wanted, 0)
    return scores.without_map(q[i : i + 1, :, :n], keys, wanted, 0)


def _fused(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    mask = None if bias is None else bias[:, None, None].to(q.dtype)  # (B, 1, 1, N)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def _eager(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """The branch and the map (B, H, N, N), scaled after the product: what a profiler counts."""
    attention = (q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5
    attention = (attention if bias is None else attention + bias[:, None, None]).softmax(-1)
    return attention @ v, attention
