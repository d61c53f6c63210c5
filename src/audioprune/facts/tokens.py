"""Token arithmetic: how a spectrogram is cut into patches, the order of their tokens, and how many tokens stay.

No torch: planning, the closed form of MACs, and drawing count tokens as the models do, by the functions here.

A patch is named by (time index, freq index): with patch 16 and stride 16, T / 16 of the one and 8 of the other. Tokens
are numbered differently by the two families:

    orientation "time" (AudioMAE)   token i is the patch (time i // freq, freq i % freq)
    orientation "freq" (AST)        token i is the patch (time i % time, freq i // time)

Any statistic of patches must be brought into the model's own order before it meets tokens.
Sources: P0 section 3; released code, `models_vit.py` (input B, 1, T, 128) and `ast_models.py` (input B, 1, 128, T).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Literal

from audioprune.facts.mel import MEL_BINS

Attention = Literal["global", "global_literal", "cls"]
Orientation = Literal["time", "freq"]

BLOCKS = (3, 6, 9)  # zero-based: the paper's selecting blocks
FULL_FRAMES = 1024  # frames that the table of position embeddings is for; no input is longer
PATCH = 16  # side of a square patch, in frames and mel bins, and the step between patches, unless said otherwise


@dataclass(frozen=True)
class Tokens:
    """Tokens of a model: `prefix` at the front, then time x freq patches in the order of `orientation`."""

    prefix: int
    orientation: Orientation  # which index runs slowest
    time: int
    freq: int
    score: Attention  # the attention score by which topk ranks unless told otherwise

    @property
    def patches(self) -> int:
        return self.time * self.freq


def grid(frames: int, patch: int = PATCH, stride: int = PATCH) -> tuple[int, int]:
    """(time, freq): how many patches lie along each axis of a (frames, 128) spectrogram."""
    if patch > min(frames, MEL_BINS):
        raise ValueError(f"a patch of {patch} does not fit into {frames} frames x {MEL_BINS} mel bins")
    return (frames - patch) // stride + 1, (MEL_BINS - patch) // stride + 1


def token_order(orientation: Orientation, time: int, freq: int) -> list[tuple[int, int]]:
    """Token -> patch: item i is the (time index, freq index) of token i."""
    if orientation == "time":
        return [(t, f) for t in range(time) for f in range(freq)]
    if orientation == "freq":
        return [(t, f) for f in range(freq) for t in range(time)]
    raise ValueError(f"orientation is 'time' (AudioMAE) or 'freq' (AST), not {orientation!r}")


def keep_count(keep_rate: float, n: int) -> int:
    """K = ceil(keep_rate n), exactly: 0.6 x 185 is 111, where float32 gives 112. keep_rate is read as its decimal."""
    return ceil(Fraction(str(float(keep_rate))) * int(n))


def keep_counts(
    keep_rate: float, tokens: int, prefix: int, locations: int, *, released_gather: bool = False
) -> list[int]:
    """K at each of `locations` selecting blocks, of an input of `tokens` patches.

    released_gather: as the released gather has it, which loses the prefix tokens and computes K as if they were there.
    """
    counts, n = [], tokens
    for _ in range(locations):
        counts.append(keep_count(keep_rate, n))
        n = counts[-1] - (prefix if released_gather else 0)
    return counts


def entering(n: int, keep_rate: float, blocks: Sequence[int], depth: int) -> list[int]:
    """Tokens that enter each block, of n that enter the first, and that are left after the last."""
    found = [n]
    for block in range(depth):
        found.append(keep_count(keep_rate, found[-1]) if block in blocks and keep_rate < 1 else found[-1])
    return found
