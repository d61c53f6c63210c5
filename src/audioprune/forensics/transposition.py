"""Digit transpositions: printed MACs against the closed form (paper.md 5.2, 6.4).

Of P0's 24 cells, two print 31.12 where the closed form gives 31.21, and four are off by about 0.01 (27.12, 23.65).
"""

from __future__ import annotations

from itertools import pairwise

from audioprune import registry
from audioprune.profiling.macs import count
from audioprune.results.findings import Finding, half_unit, place, rows

TITLE = "Printed MACs against the closed form"
ROUNDING = 0.02  # GMAC


def swaps(text: str) -> set[str]:
    """The text with two neighbouring, different digits exchanged, in every way."""
    at = [i for i, c in enumerate(text) if c.isdigit()]
    found = set()
    for i, j in pairwise(at):
        letters = list(text)
        letters[i], letters[j] = letters[j], letters[i]
        found.add("".join(letters))
    return found - {text}


def judge(printed: str, exact: float) -> str:
    """as expected, off by rounding, probable digit transposition, or not explained."""
    off = abs(float(printed) - exact)
    if off <= float(half_unit(printed)) + 1e-9:
        return "as expected"
    if off <= ROUNDING:
        return "off by rounding"
    decimals = len(printed.partition(".")[2])
    return "probable digit transposition" if printed in swaps(f"{exact:.{decimals}f}") else "not explained"


def findings() -> list[Finding]:
    found = []
    for row in rows("table1", "macs"):
        facts = registry.dataset(row["dataset"])
        exact = count(
            row["backbone"], frames=facts.frames, num_classes=facts.num_classes, method=row["method"],
            keep_rate=float(row["keep_rate"]),
        ).gmacs  # fmt: skip
        decimals = len(row["value"].partition(".")[2])
        found.append(
            Finding(
                "transposition", f"{row['source']} {row['exhibit']}", place(row), row["value"], f"{exact:.{decimals}f}",
                float(row["value"]) - exact, "GMAC", judge(row["value"], exact), row["status"],
            )
        )  # fmt: skip
    return found
