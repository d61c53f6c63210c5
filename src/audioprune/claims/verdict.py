"""Parts of a verdict, and how they combine. A part rests on published numbers (`arithmetic`) or on a study's cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from audioprune.claims.claim import Claim, Verdict
from audioprune.claims.units import Quantity
from audioprune.statistics.holm import family
from audioprune.wording import p_value

LEVEL = 0.05  # of the contrasts of one verdict together
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
    exhibit: str = ""  # where it stands, if not in the claim's
    p: float | None = None  # of its threshold, by what the interval is by; None where nothing is tested
    holm: float | None = (
        None  # the same, adjusted for all contrasts that decide the claim's verdict, or are of its family
    )


@dataclass(frozen=True)
class Judged:
    """A claim's verdict on a study."""

    claim: Claim
    study: str
    own_data: bool  # whether its own datasets and sizes of model are judged, or others of their kind: "on this tier"
    judged_on: str  # those others: 'on esc10 with tiny models'; empty for own data, and where nothing is judged
    verdict: Verdict
    evidence: str  # all of it
    brief: str  # in one short line
    parts: tuple[Part, ...]
    found: dict[str, Quantity]  # the claim's quantities as they are
    arithmetic: Verdict | None  # from published numbers alone; None where they say nothing
    measured: Verdict  # from the study's cells
    shown_in: str  # the exhibit where the evidence that `brief` names stands
    corrected: str = ""  # the corrected statement
    corrected_verdict: Verdict | None = None
    misread: dict[str, dict] = field(default_factory=dict)  # by quantity: as claimed, as it is
    command: str = ""

    @property
    def verdict_where(self) -> str:
        """The verdict; with what it was judged on, where that is not what the claim speaks of."""
        of_cells = self.verdict in ("supported", "partly", "refuted", "inconclusive")
        return f"{self.verdict} {self.judged_on}".strip() if of_cells else self.verdict

    def of(self, basis: Basis) -> list[Part]:
        return [part for part in self.parts if part.basis == basis]


def adjusted(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Parts, with the p-values of all measured ones that decide the verdict adjusted by Holm, but for those that are.

    The chance that any of them is supported, or refuted, by mistake is at most 5 %, however many there are: one whose
    adjusted p-value is above that is inconclusive. A value that an interval holds was never a finding of a test: it
    counts among the tests, and stays.
    """
    measured = ((i, part) for i, part in enumerate(parts) if part.counted and part.basis == "cells")
    deciding = [i for i, part in measured if part.p is not None and part.holm is None]
    found, made = family([parts[i].p for i in deciding]), list(parts)
    for i, p in zip(deciding, found, strict=True):
        part = replace(made[i], holm=p)
        alone, decided = part.p, part.verdict in ("supported", "refuted")
        if decided and alone is not None and p is not None and alone <= LEVEL < p:
            told = (
                f"{part.evidence}; {part.verdict} by itself (p {p_value(alone)}), not when adjusted for "
                f"{len(deciding)} contrasts (p {p_value(p)})"
            )
            part = replace(part, verdict="inconclusive", evidence=told)
        made[i] = part
    return tuple(made)


def combine(parts: Iterable[Part]) -> Verdict:
    """One verdict for all counted parts, which must hold together.

    Some supported and some refuted: partly. A part that is refuted refutes what no other supports; a part that is not
    run, not conclusive or no verdict at all leaves open what the others support.
    """
    found = {part.verdict for part in parts if part.counted}
    if "partly" in found or {"supported", "refuted"} <= found:
        return "partly"
    order = ("refuted", "inconclusive", "not-run", "open", "supported")
    return next((verdict for verdict in order if verdict in found), "not-run")


def line(parts: list[Part], *, most: int = 4) -> str:
    """Parts in one line: what each says, or how many say what; and the first reason of those that are not run."""
    shown = [part for part in parts if part.verdict != "not-run"]
    said = [f"{part.name}: {part.evidence}" for part in shown[:most]]
    if len(shown) > most:
        said = [tally(parts), *said[:1], "and so on"]
    return "; ".join([*said, *absence(parts)])


def counts(parts: Iterable[Part]) -> dict[str, int]:
    """{verdict: how many parts got it} of those that count: every number of parts that is printed is one of these."""
    return dict(Counter(part.verdict for part in parts if part.counted))


def tally(parts: Iterable[Part]) -> str:
    """'4 supported, 1 refuted of 5', of those that count."""
    found = counts(parts)
    return ", ".join(f"{n} {verdict}" for verdict, n in found.items()) + f" of {sum(found.values())}"


def absence(parts: list[Part]) -> list[str]:
    """Why parts that count were not run: the first reason, and how many others there are."""
    parts = [part for part in parts if part.counted]
    absent = [part for part in parts if part.verdict == "not-run"]
    reasons = list(dict.fromkeys(part.evidence for part in absent))
    if not absent:
        return []
    more = f" and {len(reasons) - 1} more reason{'s' if len(reasons) > 2 else ''}" if len(reasons) > 1 else ""
    many = "not run" if len(absent) == len(parts) else f"{len(absent)} of {len(parts)} not run"
    return [f"{many}: {reasons[0]}{more}"]
