"""Exact fractions: on which clips a ratio printed at full precision was computed (paper.md 3.3, 6.3).

Each of R's rank correlations is the double (2C - n) / n for a whole C, where n = clips x pairs of tokens: unpruned
models and the full evaluation sets.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb

from audioprune import registry
from audioprune.profiling.macs import patches_of
from audioprune.results.findings import Finding, rows

TITLE = "Rank correlations as exact fractions of the full sets"


def pairs(clips: int, tokens: int) -> int:
    """Pairs of tokens, over all clips."""
    return clips * comb(tokens, 2)


def concordant(value: float, n: int) -> int | None:
    """The number C of pairs, concordant or tied, that makes `value` the double of (2C - n) / n, or None."""
    c = round((Fraction(value) + 1) * n / 2)
    return c if (2 * c - n) / n == value else None


def findings() -> list[Finding]:
    found = []
    for row in rows("correlation", "tau_star_mean", "tau_star_std", "tau_star_var"):
        facts = registry.dataset(row["dataset"])
        tokens, clips = patches_of(facts.frames), facts.all_test_clips
        n = pairs(clips, tokens)
        c = concordant(float(row["value"]), n)
        found.append(
            Finding(
                "fractions", f"{row['source']}, released rank correlations",
                f"{row['source']} {row['where']}, {row['dataset']}, block {row['location']}", row["value"],
                f"(2 × {c} − {n}) / {n}" if c is not None else f"a fraction of {n} pairs", 0.0, "tau_star",
                "exact fraction" if c is not None else "inconsistent", row["status"],
                f"{clips} clips of {tokens} tokens: unpruned, full set",
            )
        )  # fmt: skip
    return found
