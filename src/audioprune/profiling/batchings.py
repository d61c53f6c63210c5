"""Ways to batch clips of different lengths, and how much of what is computed is padding. No torch.

    single     one clip, as long as it is
    padded     so many clips at random, each padded to the longest of all
    longest    the same clips together, padded to the longest of the batch
    bucketed   clips of equal length, at most so many tokens a batch; lengths are equal where they round up to the same
               multiple of a bucket's width, and what is left between them is padded

Lengths are numbers of tokens. A model whose window is fixed computes all of it whatever is in the batch.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from audioprune.errors import UserError
from audioprune.settings.costs import Batching, PaceSettings


class Arm(NamedTuple):
    """One way to batch, and one policy at one keep-rate."""

    batching: Batching
    policy: str
    keep_rate: float


ARM = ("batching", "policy", "keep_rate")  # what is said of an arm in tables of timings


def arms_of(own: PaceSettings) -> list[Arm]:
    """In the order in which they are timed and shown: in every batching the unpruned model, then every policy."""
    pruned = [(policy, rate) for rate in own.keep_rates if rate < 1 for policy in own.policies]
    return [Arm(batching, *one) for batching in own.batchings for one in (("none", 1.0), *pruned)]


@dataclass(frozen=True)
class Batch:
    clips: tuple[int, ...]  # places in the list of clips
    tokens: int  # to which each of them is padded
    filled: bool = False  # padded with silence that a model takes for sound

    @property
    def computed(self) -> int:
        return self.tokens * len(self.clips)


def batches(batching: Batching, lengths: Sequence[int], own: PaceSettings, window: int | None = None) -> list[Batch]:
    """Every clip in exactly one batch; UserError for one that alone has more tokens than a batch may."""
    if batching == "single":
        parts = [[i] for i in range(len(lengths))]
    elif batching == "bucketed":
        parts = _bucketed(lengths, own.tokens_per_batch, own.bucket)
    else:
        order = list(range(len(lengths)))
        random.Random(own.seed).shuffle(order)
        parts = [order[first : first + own.batch_size] for first in range(0, len(order), own.batch_size)]
    whole = window or (max(lengths) if batching == "padded" else None)
    filled = batching == "padded"
    return [Batch(tuple(part), whole or max(lengths[i] for i in part), filled) for part in parts]


def _bucketed(lengths: Sequence[int], limit: int, width: int) -> list[list[int]]:
    if (longest := max(lengths)) > limit:
        raise UserError(f"tokens_per_batch: {limit} is less than the {longest} tokens of the longest clip")
    parts: list[list[int]] = []
    last = 0
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        bucket = -(-lengths[i] // width)
        if not parts or bucket != last or (len(parts[-1]) + 1) * lengths[i] > limit:
            parts.append([])
        parts[-1].append(i)
        last = bucket
    return parts
