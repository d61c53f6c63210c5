"""Multiply-accumulates of a Whisper on one window, in closed form, by the rules of profiling.macs.

Letters: n tokens entering a block, m leaving its selection, D width, H heads, V output units. Left out are, as for
merging in classifiers, the similarities of `adjacent` and the averages of merged runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from audioprune.facts.recogniser import Recogniser
from audioprune.profiling.macs import block_items


def encoder(whisper: Recogniser, tokens: Sequence[int], *, scored: Sequence[int] = (), made: int | None = None) -> int:
    """MACs of encoding: `tokens` (depth + 1) are the numbers that enter each block, and that leave the last; `scored`
    are the blocks at which the attention received is averaged. `made` are those that the convolutions make, of 2 n
    frames n; None: as many as enter block 0.
    """
    n, D = tokens[0] if made is None else made, whisper.width
    convolutions = 3 * whisper.mels * D * 2 * n + 3 * D * D * n
    blocks = (
        sum(block_items(n, m, D, whisper.heads, n if block in scored else 0).values())
        for block, (n, m) in enumerate(pairwise(tokens))
    )
    return convolutions + sum(blocks) + tokens[-1] * D


def decoder(whisper: Recogniser, tokens: int, units: int) -> int:
    """MACs of decoding `units` units one by one, keys and values kept, from an encoding of `tokens` tokens."""
    D, L = whisper.width, whisper.depth
    steps = (
        L * (14 * D * D + 2 * t * D + 2 * tokens * D + whisper.heads * (t + tokens) + 3 * D) + D + D * whisper.units
        for t in range(1, units + 1)
    )
    return crossed(whisper, tokens) + sum(steps)


def crossed(whisper: Recogniser, tokens: int) -> int:
    """Of these the keys and values of the encoding, which are made once."""
    return 2 * whisper.depth * tokens * whisper.width**2
