"""Ways to batch clips of different lengths, and how much of what is computed is padding. No torch.

    single     one clip, as long as it is
    padded     so many clips at random, each padded to the longest of all
    longest    the same clips together, padded to the longest of the batch
    bucketed   clips of equal length, at most so many tokens a batch; lengths are equal where they round up to the same
               multiple of a bucket's width, and what is left between them is padded
    packed     clips of any length end to end, at most so many tokens together; nothing is padded. Neighbours are alike
               in length, so that the front end pads little

Lengths are numbers of tokens. A model whose window is fixed computes all of it whatever is in the batch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
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
    lengths: tuple[int, ...]  # tokens that are computed for each of them

    @property
    def computed(self) -> int:
        return sum(self.lengths)


def batches(batching: Batching, lengths: Sequence[int], own: PaceSettings, window: int | None = None) -> list[Batch]:
    """Every clip in exactly one batch; UserError for one that alone has more tokens than a batch may."""
    if batching == "packed":
        parts = _ascending(lengths, own.tokens_per_batch, together=lambda n: 0, computed=sum)
        return [Batch(tuple(part), tuple(lengths[i] for i in part)) for part in parts]
    if batching == "single":
        parts = [[i] for i in range(len(lengths))]
    elif batching == "bucketed":
        bucket, padded = lambda n: -(-n // own.bucket), lambda part: len(part) * max(part)
        parts = _ascending(lengths, own.tokens_per_batch, together=bucket, computed=padded)
    else:
        order = list(range(len(lengths)))
        random.Random(own.seed).shuffle(order)
        parts = [order[first : first + own.batch_size] for first in range(0, len(order), own.batch_size)]
    whole = window or (max(lengths) if batching == "padded" else None)
    return [Batch(tuple(part), (whole or max(lengths[i] for i in part),) * len(part)) for part in parts]


def _ascending(
    lengths: Sequence[int],
    limit: int,
    *,
    together: Callable[[int], int],
    computed: Callable[[Sequence[int]], int],
) -> list[list[int]]:
    """Clips by their length, those of one batch with the same `together` and at most `limit` tokens computed."""
    if (longest := max(lengths)) > limit:
        raise UserError(f"tokens_per_batch: {limit} is less than the {longest} tokens of the longest clip")
    parts: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        last = parts[-1] if parts else []
        own = [lengths[j] for j in last]
        if not last or together(own[-1]) != together(lengths[i]) or computed([*own, lengths[i]]) > limit:
            parts.append([])
        parts[-1].append(i)
    return parts
