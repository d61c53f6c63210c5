"""The result of a forensic check of one published number, and the rows that it used. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from audioprune import registry
from audioprune.results import published

MEANING = {
    "as expected": "agrees to the printed digit",
    "off by rounding": "off by little more than half a printed unit",
    "probable digit transposition": "two neighbouring digits of the right value are exchanged",
    "not explained": "differs, and no known kind of slip explains it",
    "misread": "printed as one quantity, but equal to another to the last digit",
    "as random": "what a selection independent of the signal would give",
    "not random": "further from such a selection than rounding and sampling explain",
    "one run": "equals a whole number of clips of one run",
    "several runs": "not a whole number of clips of one run, but a mean over several",
    "not possible": "not a whole number of clips for any number of runs that was tried",
    "exact fraction": "equals, in double precision, a whole number of pairs of the full set over their number",
    "not monotone": "contradicts the order of the keep-rates",
    "inconsistent": "two printed numbers that should agree do not",
}


@dataclass(frozen=True)
class Finding:
    """One row: the number checked, its printed and expected values, and the verdict."""

    check: str  # the module
    group: str  # what is judged together, such as Table 2 on one dataset
    where: str
    printed: str
    expected: str
    deviation: float  # printed minus expected, in `unit`
    unit: str
    verdict: str  # a key of MEANING
    status: str  # of the source, such as withdrawn
    note: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in MEANING:
            raise ValueError(
                f"verdict {self.verdict!r} of {self.where} is unknown{registry.nearest(self.verdict, MEANING)}"
            )


def rows(name: str, *metrics: str) -> list[dict[str, str]]:
    """Rows of a file of published numbers with one of these metrics."""
    return [row for row in published.rows(name) if row["metric"] in metrics]


def half_unit(printed: str) -> Decimal:
    """Half of the last printed digit: 0.005 of '31.12'."""
    exponent: Any = Decimal(printed).as_tuple().exponent  # a number, since what is printed is finite
    return Decimal(1).scaleb(exponent) / 2


def place(row: dict[str, str]) -> str:
    """'P0 Table 1, audiomae-b on spc2 at 0.7, block 3'."""
    what = [
        f"{row['source']} {row['where']}",
        f"{row['backbone']} on {row['dataset']}" if row["backbone"] else row["dataset"],
    ]
    what += [f"keep-rate {row['keep_rate']}"] if row["keep_rate"] else []
    return ", ".join(filter(None, what))


def all_findings() -> list[Finding]:
    """Findings of every check, in the order of their names."""
    return [found for name in registry.names("forensics") for found in registry.get("forensics", name).findings()]
