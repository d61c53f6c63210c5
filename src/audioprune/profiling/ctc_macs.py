"""Multiply-accumulates of one clip in a recogniser with a CTC head, in closed form, by the rules of profiling.macs.

Letters: n columns of time, n_b tokens entering block b and m_b leaving its selection, D width, H heads, V output units,
S frames of a strip. The head reads all n columns, also those of pruned tokens. Left out are, as in Whisper, the
similarities of `adjacent` and the averages of merged runs; batches are padded, and padding counts nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from audioprune.facts.mel import MEL_BINS, SHIFT, WINDOW
from audioprune.facts.recogniser import CONVOLUTIONS, POSITIONS, Ctc, convolved
from audioprune.profiling.macs import block_items


def strips(
    facts: Ctc, strip: int, units: int, tokens: Sequence[int], *, columns: int, scored: Sequence[int], blank: int = 0
) -> int:
    """MACs of strips: `tokens` (depth + 1) are the numbers that enter each block, and that leave the last; `scored` are
    the blocks at which the attention received is averaged; `blank` tokens are read by the auxiliary head.
    """
    D = facts.width
    return MEL_BINS * strip * columns * D + _blocks(facts, tokens, scored) + (columns + blank) * (D + D * units)


def wav2vec2(
    facts: Ctc, samples: int, units: int, tokens: Sequence[int], *, columns: int, scored: Sequence[int], blank: int = 0
) -> int:
    """MACs of wav2vec2, alike; its front end is convolutions over the clip's samples."""
    D, (positions, groups) = facts.width, POSITIONS
    lengths, channels = convolved(samples), [1, *(one.channels for one in CONVOLUTIONS)]
    front = sum(
        length * before * one.channels * one.kernel for length, before, one in zip(lengths, channels, CONVOLUTIONS)
    )
    front += channels[1] * lengths[0] + channels[-1] * (columns + columns * D)  # norms, and the projection
    front += (columns + 1) * D * (D // groups) * positions + columns * D
    return front + _blocks(facts, tokens, scored) + columns * D * units + blank * (D + D * units)


@dataclass(frozen=True)
class Family:
    """How clips of so many samples are counted in a family of recognisers; `strip` counts in strips alone."""

    columns: Callable[[int, int], int]  # strip, samples
    count: Callable[..., int]  # facts, strip, samples, units, tokens, then as in `strips`


FAMILIES = {
    "strips": Family(
        lambda strip, samples: -(-max(1, 1 + (samples - WINDOW) // SHIFT) // strip),
        lambda facts, strip, samples, units, tokens, **more: strips(facts, strip, units, tokens, **more),
    ),
    "wav2vec2": Family(
        lambda strip, samples: convolved(samples)[-1],
        lambda facts, strip, samples, units, tokens, **more: wav2vec2(facts, samples, units, tokens, **more),
    ),
}


def whole(facts: Ctc, strip: int, frames: int, units: int) -> int:
    """MACs of a clip of so many frames of 10 ms, unpruned."""
    family, samples = FAMILIES[facts.family], WINDOW + (frames - 1) * SHIFT
    columns = family.columns(strip, samples)
    return family.count(facts, strip, samples, units, [columns] * (facts.depth + 1), columns=columns, scored=())


def _blocks(facts: Ctc, tokens: Sequence[int], scored: Sequence[int]) -> int:
    items = (
        block_items(n, m, facts.width, facts.heads, n if block in scored else 0)
        for block, (n, m) in enumerate(pairwise(tokens))
    )
    return sum(sum(one.values()) for one in items)
