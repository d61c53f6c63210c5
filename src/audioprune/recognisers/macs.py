"""Multiply-accumulates of a Whisper on one window, in closed form, by the rules of profiling.macs.

Letters: n tokens entering a block, m leaving its selection, D width, H heads, V output units. Left out are, as for
merging in classifiers, the similarities of `adjacent` and the averages of merged runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from audioprune.profiling.macs import block_items


@dataclass(frozen=True)
class Size:
    """What of a Whisper decides its cost: openai-whisper's dims, whose two sides are equally wide and deep."""

    mels: int
    width: int
    heads: int
    depth: int
    units: int  # V


def encoder(size: Size, tokens: Sequence[int], *, scored: Sequence[int] = ()) -> int:
    """MACs of encoding: `tokens` (depth + 1) are the numbers that enter each block, and that leave the last; `scored`
    are the blocks at which the attention received is averaged. n tokens come of 2 n frames.
    """
    n, D = tokens[0], size.width
    convolutions = 3 * size.mels * D * 2 * n + 3 * D * D * n
    blocks = (
        sum(block_items(n, m, D, size.heads, n if block in scored else 0).values())
        for block, (n, m) in enumerate(pairwise(tokens))
    )
    return convolutions + sum(blocks) + tokens[-1] * D


def decoder(size: Size, tokens: int, units: int) -> int:
    """MACs of decoding `units` units one by one, keys and values kept, from an encoding of `tokens` tokens."""
    D, L = size.width, size.depth
    crossed = 2 * L * tokens * D * D
    steps = (
        L * (14 * D * D + 2 * t * D + 2 * tokens * D + size.heads * (t + tokens) + 3 * D) + D + D * size.units
        for t in range(1, units + 1)
    )
    return crossed + sum(steps)
