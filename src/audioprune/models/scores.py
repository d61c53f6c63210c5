"""Attention received by each token: what topk ranks by, and what a trace records.

Letters: B clips, H heads, N tokens of which the first e are prefix, n = N - e, d width of a head. Sources: P0 Eq. 2a
and 2b; the released code (models_vit.py) leaves the prefix tokens out of the queries of the global score as well.
"""

from __future__ import annotations

import torch
from torch import Tensor

from audioprune.models.pruner import Attention

CHUNK = 64  # queries at a time


def of_map(attention: Tensor, kind: Attention, prefix: int) -> Tensor:
    """Score from the softmaxed map (B, H, N, N) -> (B, n), detached."""
    attention = attention.detach()
    if kind == "cls":
        return attention[:, :, 0, prefix:].mean(1)
    first = prefix if kind == "global" else 0
    return attention[:, :, first:, prefix:].mean((1, 2))


@torch.no_grad()
def without_map(q: Tensor, k: Tensor, kind: Attention, prefix: int) -> Tensor:
    """The same score from queries and keys (B, H, N, d) -> (B, n), with no N x N map in memory.

    The score of a key is a column sum of the softmaxed map: rows of a few queries are made, summed and let go.
    """
    if kind == "cls":
        return _rows(q[:, :, :1], k)[:, :, 0, prefix:].mean(1)
    first = prefix if kind == "global" else 0
    queries = q[:, :, first:]
    received = q.new_zeros(q.shape[0], k.shape[2], dtype=torch.float32)  # (B, N)
    for part in queries.split(min(CHUNK, max(1, queries.shape[2] // 4)), dim=2):
        received += _rows(part, k).sum((1, 2))
    return received[:, prefix:] / (queries.shape[1] * queries.shape[2])


def _rows(q: Tensor, k: Tensor) -> Tensor:
    """Rows of the map: (B, H, c, d), (B, H, N, d) -> (B, H, c, N) float32."""
    return ((q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5).softmax(-1, dtype=torch.float32)
