"""Granularity: is an accuracy a whole number of clips over their number? (GRIM, Brown and Heathers 2017; paper.md 6.2)

P0's accuracies on ESC-50 are multiples of 0.05, so one run over 2 000 clips; P2's 94.32 and 94.37 are not.
A value that is printed more coarsely than 100 / n says nothing and is left out.
"""

from __future__ import annotations

from decimal import Decimal
from math import ceil, floor

from audioprune import registry
from audioprune.results.findings import Finding, half_unit, place, rows

TITLE = "Accuracies as whole numbers of clips"
RUNS = 25  # most runs that are tried: five folds with five seeds each


def possible(printed: str, clips: int) -> bool:
    """Whether some whole number of `clips` gives this percentage to the printed digit."""
    value, half = Decimal(printed), half_unit(printed)
    low, high = (value - half) * clips / 100, (value + half) * clips / 100
    return ceil(low) <= floor(high)


def runs(printed: str, clips: int, most: int = RUNS) -> int:
    """The smallest number of runs over the same clips whose mean can be printed so; 0: none up to `most`."""
    return next((r for r in range(1, most + 1) if possible(printed, r * clips)), 0)


def findings() -> list[Finding]:
    found = []
    for name in ("table1", "table4", "p2"):
        for row in rows(name, "top1"):
            clips = registry.dataset(row["dataset"]).all_test_clips
            if 2 * half_unit(row["value"]) < Decimal(100) / clips:
                found.append(_finding(row, clips))
    return found


def _finding(row: dict[str, str], clips: int) -> Finding:
    fewest, value = runs(row["value"], clips), float(row["value"])
    nearest = 100 * round(value * clips / 100) / clips
    verdict = "one run" if fewest == 1 else "several runs" if fewest else "not possible"
    return Finding(
        "granularity", f"{row['source']} {row['exhibit']}, {row['dataset']}", place(row), row["value"],
        f"{nearest:.4f} = {round(value * clips / 100)} / {clips} clips", value - nearest, "pp", verdict, row["status"],
        "" if fewest == 1 else f"fits a mean over {fewest} runs or more",
    )  # fmt: skip
