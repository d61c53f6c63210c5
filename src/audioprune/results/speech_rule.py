"""What a difference of two word error rates says, by rules that were fixed before any was measured.

In this order, with M the margin from which on a difference matters, and p adjusted by Holm for all that is asked of one
test set:

supported     the 95 % interval lies below zero, and p is at most 5 %
refuted       it lies above zero, and p is at most 5 %
refuted       it lies within M of zero: no difference that matters
inconclusive  all else, with the number of words that would settle it
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Literal, NamedTuple

from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.results.estimate import Estimate

LEVEL = 0.05
LEAST, SHARE = 0.5, 0.1  # points, and share of the unpruned error rate, from which on a difference matters
NO_WIDTH = "no transcript differs in its number of errors, and how far others may is not known"
BELOW = "real, but below what matters"
NOTHING = "no difference that matters"
FEW = "too few speakers for any difference to be found"

Verdict = Literal["supported", "refuted", "inconclusive"]


class Outcome(NamedTuple):
    verdict: Verdict
    told: str = ""  # what is to be said with it


class Chance(NamedTuple):
    """p-values of no difference; None where so few are exchanged that nothing can be tested."""

    alone: float | None
    adjusted: float | None  # for all that is asked of the test set
    tests: int = 1


def margin(unpruned: float) -> float:
    """Points from which on a difference matters, given the unpruned model's error rate in percent."""
    return max(LEAST, SHARE * unpruned)


def outcome(low: float, high: float, margin: float, p: Chance) -> Outcome:
    """By the ends of the interval in points; what would settle it is said by `settling`."""
    if isnan(low) or isnan(high):
        return Outcome("inconclusive", "no interval")
    if low == high:
        return Outcome("inconclusive", NO_WIDTH)
    inside = low > -margin and high < margin
    if (high < 0 or low > 0) and p.adjusted is not None and p.adjusted <= LEVEL:
        return Outcome("supported" if high < 0 else "refuted", BELOW if inside else "")
    if inside:
        return Outcome("refuted", NOTHING)
    if high < 0 or low > 0:
        return Outcome("inconclusive", _not_among(p))
    return Outcome("inconclusive")


def _not_among(p: Chance) -> str:
    if p.adjusted is None or p.alone is None:
        return FEW
    among = f", among {p.tests} {number(p.adjusted, 3)}" if p.tests > 1 else ""
    return f"beyond its interval, and p is {number(p.alone, 3)}{among}"


def settling(found: Estimate, margin: float, words: int) -> str:
    """How many reference words would settle what is inconclusive, the difference staying as it is.

    Either its interval would leave out zero, or it would lie within the margin: what takes fewer.

    # ASSUME: all variance shrinks with the number of words. That of training does not: with several seeds it is a
    lower limit.
    """
    from audioprune.statistics.noninferiority import clips_needed

    if isnan(found.error) or not found.error:
        return ""
    reach = max(abs(found.value), margin - abs(found.value))
    needed = clips_needed(words * found.error**2, 0.0, reach, 0.975)
    if needed is None or needed <= words:
        return ""
    least = "at least " if found.seeds > 1 else "about "
    return f"{least}{rounded(needed)} words would settle it, {words} were read"


def rounded(count: int) -> str:
    """To two digits: more is not known."""
    return f"{float(f'{count:.2g}'):,.0f}".replace(",", " ")
