"""What a difference of losses to noise says, by rules that were fixed before any was measured.

I in points; in this order:

supported     the 95 % interval lies above zero: pruning costs more in noise. All of it below 1 point, it hardly matters
refuted       the one-sided 95 % upper bound lies below 1 point: no loss that matters
inconclusive  all else, with the number of clips that would do; and what has fewer than three conditions that count

A verdict becomes `partly` where the logit scale contradicts it: its interval lies on the other side of zero than I.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Literal, NamedTuple

from audioprune.results.speech_rule import rounded

if TYPE_CHECKING:
    from audioprune.results.estimate import Estimate

MARGIN = 1.0  # points from which on a loss matters
SMALL = "real, but below what matters"
NOTHING = "no loss that matters"
SCALE = "depends on the scale: in logits it is the contrary"
FEW = "fewer than three conditions are above the floor"

Verdict = Literal["supported", "partly", "refuted", "inconclusive"]


class Outcome(NamedTuple):
    verdict: Verdict
    told: str = ""  # what is to be said with it


def degrades(found: Estimate, logit: Estimate | None = None, *, enough: bool = True) -> Outcome:
    """Does pruning cost more in noise than on clean clips?"""
    if not enough:
        return Outcome("inconclusive", FEW)
    outcome = _in_points(found)
    if outcome.verdict != "inconclusive" and logit is not None and _contrary(found, logit):
        return Outcome("partly", SCALE)
    return outcome


def _in_points(found: Estimate) -> Outcome:
    if isnan(found.low):
        return Outcome("inconclusive", "no interval")
    if found.low > 0:
        return Outcome("supported", SMALL if found.high < MARGIN else "")
    if found.bounds[1] < MARGIN:
        return Outcome("refuted", NOTHING)
    return Outcome("inconclusive", settling(found))


def _contrary(found: Estimate, logit: Estimate) -> bool:
    return (found.value > 0 and logit.high < 0) or (found.value < 0 and logit.low > 0)


def misled(found: Estimate, *, enough: bool = True) -> Outcome:
    """Does noise mislead the selection: does ranking lose more to it than a random choice of as many tokens?"""
    if not enough:
        return Outcome("inconclusive", FEW)
    if found.low > 0:
        return Outcome("supported")
    if found.high < 0:
        return Outcome("refuted")
    return Outcome("inconclusive", settling(found))


def settling(found: Estimate) -> str:
    """How many clips would make the interval as narrow as the margin is wide, each way.

    # ASSUME: all variance shrinks with the number of clips. That of training does not: it is a lower limit.
    """
    half = (found.high - found.low) / 2
    if isnan(half) or half <= MARGIN:
        return ""
    clips = rounded(round(found.n * (half / MARGIN) ** 2))
    return f"about {clips} clips would give ± 1 point, {found.n} were there"
