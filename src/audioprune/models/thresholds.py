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

from collections.abc import Callable

from torch import Tensor

Normalise = Callable[[Tensor, Tensor], Tensor]

NORMALISED: dict[str, Normalise] = {  # by policy: (rank (n,), pixels of the clip's own tokens (P, C)) -> score (n,)
    "topk": lambda rank, pixels: len(rank) * rank,
    "intensity": lambda rank, pixels: rank - pixels.mean(),
    "blank": lambda rank, pixels: rank,
}


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
