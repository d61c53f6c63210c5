"""The ledger: every claim's verdict on one study, from published numbers and the study's cells."""

from __future__ import annotations

from collections.abc import Iterator

from audioprune.claims.claim import Claim, Corrected, load, predicate
from audioprune.claims.evidence import Evidence
from audioprune.claims.readings import misread, readings
from audioprune.claims.units import Quantity
from audioprune.claims.verdict import Judged, Part, absence, combine, line, tally
from audioprune.results.study import Results


def judge_all(results: Results) -> list[Judged]:
    """Every claim of report/claims, in order."""
    return [judge(claim, results) for claim in load()]


def judge(claim: Claim, results: Results) -> Judged:
    """The verdict of one claim on one study.

    Superseded where its source has withdrawn what it rests on; misstated where a quantity is not what the claim says
    it is, the corrected statement then has all the parts; else what the study's cells say.
    """
    evidence = Evidence(results, claim.exhibit)
    parts = tuple(predicate(claim)(claim, evidence))
    if not any(part.basis == "cells" for part in parts):
        nothing = evidence.unplanned(f"cells that {claim.name} can be judged by")
        parts += (Part(claim.name, "not-run", "cells", nothing.why, command=nothing.command),)
    printed, made = ([p for p in parts if p.basis == basis] for basis in ("arithmetic", "cells"))
    found = readings(claim, evidence)
    wrong = misread(claim, found)
    measured = combine(made)
    verdict = "superseded" if claim.withdrawn else "misstated" if wrong else measured
    corrected = statement(claim.corrected, found) if wrong and claim.corrected else ""
    return Judged(
        claim=claim,
        study=results.study,
        own_data=evidence.own_data(claim.cells.datasets, claim.cells.backbones[:1]),
        verdict=verdict,
        evidence=_evidence(claim, verdict, corrected, printed, made),
        brief=_brief(verdict, corrected, wrong, printed, made),
        parts=parts,
        found=found,
        arithmetic=combine(printed) if printed else None,
        measured=measured,
        corrected=corrected,
        corrected_verdict=combine(parts) if wrong else None,
        misread={name: {"claimed": str(a), "is": str(b)} for name, (a, b) in wrong.items()},
        command=next((part.command for part in made if part.command), ""),
    )


def statement(corrected: Corrected, found: dict[str, Quantity]) -> str:
    """The corrected statement, with the quantities as they are."""
    words = {name: str(value) for name, value in found.items()}
    if "macs" in found:
        words |= {"macs": str(found["macs"].to("pct_remaining")), "saved": str(found["macs"].to("pct_reduction"))}
    return " ".join(corrected.statement.format(**words).split())


def _brief(verdict: str, corrected: str, wrong: dict, printed: list[Part], made: list[Part]) -> str:
    """What the first page says: one line for each claim."""
    run, measured = [part for part in made if part.verdict != "not-run"], combine(made)
    if corrected:
        said = [f"“{was}” is {is_}" for was, is_ in _pairs(wrong)]
        return f"{'; '.join(said)}. Corrected: {tally([*printed, *made])} parts."
    said = ["Withdrawn by its authors"] if verdict == "superseded" else []
    if not run:
        said += [f"Published numbers alone: {combine(printed)}"] if printed else []
        said += [_sentence(text.partition("; ")[0]) for text in absence(made)]
    else:
        shown = [part for part in run if part.counted and part.verdict == measured] or run
        said.append(f"{tally(made)}; {shown[0].name}: {shown[0].evidence}".removesuffix("."))
    return ". ".join(said) + "."


def _pairs(wrong: dict[str, tuple[Quantity, Quantity]]) -> Iterator[tuple[str, str]]:
    """What was claimed and what it is, MACs also as what is saved."""
    for claimed, is_ in wrong.values():
        saved = f", {is_.to('pct_reduction')}" if is_.unit == "pct_remaining" else ""
        yield f"{claimed}", f"{is_}{saved}"


def _evidence(claim: Claim, verdict: str, corrected: str, printed: list[Part], made: list[Part]) -> str:
    """Why it is what it is, what published numbers say by themselves, what the study measured."""
    said, measured = [], combine(made)
    if corrected:
        parts = [*printed, *made]
        said = [corrected, f"Of the corrected statement: {combine(parts)} ({line(parts)})"]
    else:
        said += [" ".join(claim.withdrawn.split())] if verdict == "superseded" else []
        said += [f"Published numbers alone: {combine(printed)} ({line(printed)})"] if printed else []
        said.append(_sentence(line(made)) if measured == "not-run" else f"Measured: {measured} ({line(made)})")
    return ". ".join(text.rstrip(".") for text in said) + "."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
