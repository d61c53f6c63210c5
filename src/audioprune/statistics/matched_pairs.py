"""Matched pairs of sentences, the test that speech evaluations report (NIST's MAPSSWE; Gillick and Cox 1989).

Each sentence is a segment. Of d = errors of the first recogniser minus those of the second, Z = mean(d) / (s / sqrt n),
and p is two-sided by the normal distribution, which is why few sentences are refused. Sentences of one speaker count
as independent here: beside a bootstrap over speakers it is what other work can be compared with, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, mean, stdev
from typing import NamedTuple

LEAST = 50  # sentences


class MatchedPairs(NamedTuple):
    z: float
    p: float | None  # None, and `why` says so, where nothing can be tested
    why: str = ""


def matched_pairs(differences: Sequence[float], least: int = LEAST) -> MatchedPairs:
    """differences (n,): in each sentence, errors of the first minus errors of the second."""
    n = len(differences)
    if n < least:
        return MatchedPairs(float("nan"), None, f"{n} sentences: matched pairs need {least}")
    middle, spread = mean(differences), stdev(differences)
    if not spread:
        why = "" if not middle else "the difference is the same in every sentence"
        return MatchedPairs(0.0 if not middle else float("nan"), None if middle else 1.0, why)
    z = middle / (spread / sqrt(n))
    return MatchedPairs(z, 2 * NormalDist().cdf(-abs(z)))
