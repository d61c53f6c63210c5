"""The ledger: every claim's verdict on one study, from published numbers and the study's cells."""

from __future__ import annotations

from dataclasses import replace

from audioprune.claims.claim import Claim, Verdict, load, predicate
from audioprune.claims.evidence import Evidence
from audioprune.claims.readings import decoded, misread, readings
from audioprune.claims.units import Quantity
from audioprune.claims.verdict import Judged, Part, absence, adjusted, combine, line, tally
from audioprune.results.study import Results

CLAIMS = "claims"  # the exhibit that shows all parts, and what printed numbers say by themselves


def judge_all(results: Results) -> list[Judged]:
    """Every claim of report/claims about models of the kinds that the study has, in order.

    Those about recognisers, where it transcribes; those about classifiers, unless it does nothing else.
    """
    spoken = bool(results.cells("transcribe"))
    silent = not spoken or any(results.cells(kind) for kind in ("finetune", "evaluate", "macs", "throughput"))
    return [judge(claim, results) for claim in load() if (spoken if claim.cells.recognisers else silent)]


def judge(claim: Claim, results: Results) -> Judged:
    """The verdict of one claim on one study.

    Superseded where its source has withdrawn what it rests on; misstated where a quantity is not what the claim says
    it is, the corrected statement then has all the parts; open where the claim is no statement of its source; else
    what the study's cells say.
    """
    evidence = Evidence(results, claim)
    parts = adjusted(predicate(claim)(claim, evidence))
    if not any(part.basis == "cells" and part.counted for part in parts):
        nothing = evidence.unplanned(f"cells that {claim.name} can be judged by")
        parts += (Part(claim.name, "not-run", "cells", nothing.why, command=nothing.command),)
    if claim.open:
        parts = tuple(replace(part, verdict="open") if part.verdict != "not-run" else part for part in parts)
    printed, made = ([p for p in parts if p.basis == basis] for basis in ("arithmetic", "cells"))
    found = readings(claim, evidence)
    wrong = misread(claim, found)
    measured = combine(made)
    verdict: Verdict = "superseded" if claim.withdrawn else "misstated" if wrong else "open" if claim.open else measured
    corrected = statement(claim, found) if wrong and claim.corrected else ""
    return Judged(
        claim=claim,
        study=results.study,
        own_data=evidence.own_data(claim.cells.backbones[:1]) if claim.cells.backbones else evidence.own_speech(),
        judged_on=evidence.judged_on(path for part in _run(made) if part.counted for path in part.cells),
        verdict=verdict,
        evidence=_evidence(claim, verdict, corrected, printed, made),
        brief=_brief(claim, verdict, corrected, wrong, printed, made),
        parts=parts,
        found=found,
        arithmetic=combine(printed) if printed else None,
        measured=measured,
        shown_in=CLAIMS if corrected else shown_in(claim, _shown(made)),
        corrected=corrected,
        corrected_verdict=combine(parts) if wrong else None,
        misread={name: {"claimed": str(a), "is": str(b)} for name, (a, b) in wrong.items()},
        command=next((part.command for part in made if part.command), ""),
    )


def statement(claim: Claim, found: dict[str, Quantity]) -> str:
    """The corrected statement, with the quantities as they are; MACs also as they are counted exactly."""
    assert claim.corrected is not None, "a claim that is corrected"
    words = {name: str(value) for name, value in found.items()}
    if "macs" in found:
        words |= {"macs": str(found["macs"].to("pct_remaining")), "saved": str(found["macs"].to("pct_reduction"))}
        words |= {"exact": exactly(claim)}
    return " ".join(claim.corrected.statement.format(**words).split())


def exactly(claim: Claim) -> str:
    """'45.69 % remaining, 54.31 % saved': the closed form of the model itself, at the keep-rate that the claim fits."""
    exact = next(iter(decoded(claim)[2].values()))
    return f"{exact:.2f} % remaining, {100 - exact:.2f} % saved"


def _run(made: list[Part]) -> list[Part]:
    return [part for part in made if part.verdict != "not-run"]


def _shown(made: list[Part]) -> list[Part]:
    """What was run, the parts first that say what the verdict of all is."""
    measured = combine(made)
    return sorted(_run(made), key=lambda part: not (part.counted and part.verdict == measured))


def shown_in(claim: Claim, shown: list[Part]) -> str:
    """The exhibit where the first of these parts stands; that of all claims where nothing was run."""
    return (shown[0].exhibit or claim.exhibit) if shown else CLAIMS


def _brief(claim: Claim, verdict: str, corrected: str, wrong: dict, printed: list[Part], made: list[Part]) -> str:
    """What the card of a claim says before it unfolds: one line."""
    shown = _shown(made)
    if corrected:
        said = [f"“{was}” is {is_}" for was, is_ in wrong.values()]
        said += [f"exactly {exactly(claim)}"] if "macs" in wrong else []
        return f"{'; '.join(said)}. Corrected: {tally([*printed, *made])} parts."
    said = ["Withdrawn by its authors"] if verdict == "superseded" else []
    said += [_line(claim.open)] if claim.open else []
    if not shown:
        said += [f"Published numbers alone: {combine(printed)}"] if printed else []
        said += [_sentence(text.partition("; ")[0]) for text in absence(made)]
    else:
        said.append(f"{tally(made)}; {shown[0].name}: {shown[0].evidence}".removesuffix("."))
    return ". ".join(text.removesuffix(".") for text in said) + "."


def _evidence(claim: Claim, verdict: str, corrected: str, printed: list[Part], made: list[Part]) -> str:
    """Why it is what it is, what published numbers say by themselves, what the study measured."""
    said, measured = [], combine(made)
    if corrected:
        parts = [*printed, *made]
        said = [corrected, f"Of the corrected statement: {combine(parts)} ({line(parts)})"]
    else:
        said += [_line(claim.withdrawn)] if verdict == "superseded" else []
        said += [_line(claim.open)] if claim.open else []
        said += [f"Published numbers alone: {combine(printed)} ({line(printed)})"] if printed else []
        said.append(_sentence(line(made)) if measured == "not-run" else f"Measured: {measured} ({line(made)})")
    return ". ".join(text.rstrip(".") for text in said) + "."


def _line(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
