"""Parts of a verdict, and how they combine. A part rests on published numbers (`arithmetic`) or on a study's cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from audioprune.claims.claim import Claim, Verdict
from audioprune.claims.units import Quantity

Basis = Literal["arithmetic", "cells"]


@dataclass(frozen=True)
class Part:
    """One thing that a claim says, of one model and dataset, with what it rests on."""

    name: str  # such as 'audiomae-b on esc50'
    verdict: Verdict
    basis: Basis
    evidence: str  # one line, numbers included
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    n: int = 0  # distinct clips
    seeds: int = 0
    cells: tuple[str, ...] = ()
    changed: tuple[int, int] | None = (
        None  # clips that only the first, only the second of two models has; of a drop: lost, gained
    )
    command: str = ""  # would run what is missing
    counted: bool = True  # in the claim's verdict; else it stands beside


@dataclass(frozen=True)
class Judged:
    """A claim's verdict on a study."""

    claim: Claim
    study: str
    own_data: bool  # whether the claim's own datasets are judged, or others of their kind: "on this tier"
    verdict: Verdict
    evidence: str  # all of it
    brief: str  # in one short line
    parts: tuple[Part, ...]
    found: dict[str, Quantity]  # the claim's quantities as they are
    arithmetic: Verdict | None  # from published numbers alone; None where they say nothing
    measured: Verdict  # from the study's cells
    corrected: str = ""  # the corrected statement
    corrected_verdict: Verdict | None = None
    misread: dict[str, dict] = field(default_factory=dict)  # by quantity: as claimed, as it is
    command: str = ""

    def of(self, basis: Basis) -> list[Part]:
        return [part for part in self.parts if part.basis == basis]


def combine(parts: Iterable[Part]) -> Verdict:
    """One verdict for all counted parts, which must hold together.

    Some supported and some refuted: partly. A part that is refuted refutes what no other supports; a part that is not
    run, or not conclusive, leaves open what the others support.
    """
    found = {part.verdict for part in parts if part.counted}
    if "partly" in found or {"supported", "refuted"} <= found:
        return "partly"
    order = ("refuted", "inconclusive", "not-run", "supported")
    return next((verdict for verdict in order if verdict in found), "not-run")


def line(parts: list[Part], *, most: int = 4) -> str:
    """Parts in one line: what each says, or how many say what; and the first reason of those that are not run."""
    shown = [part for part in parts if part.verdict != "not-run"]
    said = [f"{part.name}: {part.evidence}" for part in shown[:most]]
    if len(shown) > most:
        said = [tally(shown), *said[:1], "and so on"]
    return "; ".join([*said, *absence(parts)])


def tally(parts: list[Part]) -> str:
    """'4 supported, 1 refuted of 5', of those that count."""
    counted = [part.verdict for part in parts if part.counted]
    return ", ".join(f"{counted.count(v)} {v}" for v in dict.fromkeys(counted)) + f" of {len(counted)}"


def absence(parts: list[Part]) -> list[str]:
    """Why parts were not run: the first reason, and how many others there are."""
    absent = [part for part in parts if part.verdict == "not-run"]
    reasons = list(dict.fromkeys(part.evidence for part in absent))
    if not absent:
        return []
    more = f" and {len(reasons) - 1} more reason{'s' if len(reasons) > 2 else ''}" if len(reasons) > 1 else ""
    many = "not run" if len(absent) == len(parts) else f"{len(absent)} of {len(parts)} not run"
    return [f"{many}: {reasons[0]}{more}"]
