"""One threshold for all clips: how many tokens stay then follows from what a clip holds.

Letters: n tokens of a clip that may go, C tokens of all clips together that shall stay. Scores are normalised, so that
they mean the same in every clip:

    topk        n times the attention received, 1 on average in every clip
    intensity   the mean log-mel of a token's frames, less that of all frames of the clip that may go
    blank       1 - p(blank), as it is
    adjacent    what is held against the threshold is the link of a token to the one before: it begins a run of its own
                where the cosine of their keys is low, so its score is the cosine's negative; the first always does
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from audioprune.facts.tokens import Attention
from audioprune.models.policy import InTime
from audioprune.models.pruner import Survivors, View, advance
from audioprune.models.runs import Runs
from audioprune.models.select import select

Normalise = Callable[[Tensor, Tensor], Tensor]

NORMALISED: dict[str, Normalise] = {  # by policy: (rank (n,), pixels of the clip's own tokens (P, C)) -> score (n,)
    "topk": lambda rank, pixels: len(rank) * rank,
    "intensity": lambda rank, pixels: rank - pixels.mean(),
    "blank": lambda rank, pixels: rank,
}


@dataclass(frozen=True)
class Reaching:
    """A policy with a threshold for each block instead of a share, of one clip at a time: a reducer (pruner.Reducer).

    told   is shown the block and the scores (n,) of every clip
    """

    name: str
    policy: InTime | Runs
    taus: Mapping[int, float]
    told: Callable[[int, Tensor], None] | None = None
    released_gather, r = False, None

    @property
    def attention(self) -> Attention | Literal["keys"] | None:
        return self.policy.attention

    @property
    def auxiliary(self) -> bool:
        return isinstance(self.policy, InTime) and self.policy.auxiliary

    def score(self, survivors: Survivors, block: int, seen: Tensor | None) -> Tensor:
        """(n,)."""
        if isinstance(self.policy, Runs):
            assert self.policy.starts is not None
            assert seen is not None
            return self.policy.starts(seen)[0]
        n = survivors.patch_ids.shape[1]
        rank = self.policy.pruner.rank(View(block, n, 0, survivors.patch_ids, survivors.pixels, seen))[0]
        return NORMALISED[self.name](rank, survivors.pixels[0])

    def reduce(
        self, x: Tensor, survivors: Survivors, *, keep_rate: float, block: int, seen: Tensor | None
    ) -> tuple[Tensor, Survivors]:
        scores = self.score(survivors, block, seen)
        if self.told is not None:
            self.told(block, scores)
        stay = reaching(scores, self.taus[block])  # (n,)
        if isinstance(self.policy, Runs):
            return self.policy.merged(x, survivors, stay.cumsum(0)[None] - 1, int(stay.sum()))
        keep = stay.nonzero().T  # (1, K)
        return select(x, keep), advance(survivors, keep)


def threshold(scores: Tensor, count: int) -> float:
    """Midway between the count-th highest of pooled scores (N,) and the next, so that `count` of them reach it.

    Of equal scores on either side of it more reach it. Minus infinity where all shall stay, as far as scores go.
    """
    if count >= len(scores):
        return float("-inf")
    ordered = scores.double().sort(descending=True).values
    if count == 0:
        return float("inf")
    last, first = ordered[count - 1].item(), ordered[count].item()
    return first + (last - first) / 2 if last != float("inf") else float("inf")


def reaching(scores: Tensor, tau: float) -> Tensor:
    """Scores (n,) -> which tokens stay, (n,): those that reach the threshold, at least the best."""
    stay = scores.double() >= tau
    if not stay.any():
        stay[int(scores.argmax())] = True
    return stay
