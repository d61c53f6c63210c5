"""`audioprune claims`: the verdict and evidence of every claim on a study, and forensics of the published numbers."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from audioprune.cells.cell import DEFAULT_STUDY
from audioprune.cli._output import columns, print_json
from audioprune.planning.plan import Plan

if TYPE_CHECKING:
    from audioprune.claims.units import Quantity
    from audioprune.claims.verdict import Judged
    from audioprune.results.findings import Finding

WITHDRAWN = "P0, with its claims and tables, was withdrawn by its authors because of errors in its token analysis."


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("claims", help="verdicts of all claims, with their evidence", description=__doc__)
    parser.add_argument(
        "--study", default=DEFAULT_STUDY, help=f"the study whose cells are the evidence (default: {DEFAULT_STUDY})"
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from audioprune.claims.ledger import judge_all
    from audioprune.results.study import Results

    plan = Plan()
    study = plan.study(arguments.study)
    results = Results(arguments.study, study.all.values(), plan.planner.facts)
    judged = judge_all(results)
    if arguments.json:
        print_json(report_of(judged, arguments.study, study.study.tier))
    else:
        print(_text(judged, arguments.study, study.study.tier))
    return 0


def report_of(judged: list[Judged], study: str, tier: str) -> dict:
    """Everything, as plain values: claims with all parts, consistency between them, forensics."""
    from audioprune.claims.consistency import relations
    from audioprune.results.findings import all_findings

    return {
        "study": study,
        "tier": tier,
        "claims": [entry(one, tier) for one in judged],
        "consistency": [asdict(relation) for relation in relations([one.claim for one in judged])],
        "forensics": [asdict(finding) for finding in all_findings()],
        "forensics_summary": summary(all_findings()),
    }


def summary(findings: Iterable[Finding]) -> list[dict]:
    """One row for each group of numbers and verdict: how many, and the furthest from what is expected."""
    groups: dict[tuple, list] = {}
    for finding in findings:
        groups.setdefault((finding.check, finding.group, finding.verdict), []).append(finding)
    rows = []
    for (check, group, verdict), own in groups.items():
        worst = max(own, key=lambda finding: abs(finding.deviation))
        row = {"check": check, "group": group, "verdict": verdict, "numbers": len(own), "status": worst.status}
        rows.append(row | {"largest": abs(worst.deviation), "unit": worst.unit, "at": worst.where})
    return rows


def entry(judged: Judged, tier: str) -> dict:
    """One claim's verdict as plain values."""
    claim = judged.claim
    return {
        "ids": list(claim.ids),
        "question": claim.question,
        "statement": " ".join(claim.statement.split()),
        "status": claim.sources[0].status,
        "sources": [source.model_dump() for source in claim.sources],
        "quantities": {name: _quantity(value) for name, value in claim.quantities.items()},
        "profile": claim.profile,
        "tier": tier,
        "on_this_tier": not judged.own_data,
        "judged_on": judged.judged_on,
        "verdict": judged.verdict,
        "arithmetic": judged.arithmetic,
        "measured": judged.measured,
        "evidence": judged.evidence,
        "misread": judged.misread,
        "corrected": _corrected(judged),
        "expected": claim.expected,
        "expected_why": " ".join(claim.expected_why.split()),
        "exhibit": judged.shown_in,
        "command": judged.command,
        "parts": [asdict(part) for part in judged.parts],
    }


def _quantity(value: Quantity) -> dict:
    return {"value": f"{value.value:f}", "unit": value.unit}


def _corrected(judged: Judged) -> dict | None:
    """The corrected statement, its verdict and its quantities; MACs both as remaining and as saved."""
    if not judged.misread:
        return None
    quantities = {name: _quantity(value) for name, value in judged.found.items()}
    if "macs" in judged.found:
        macs = judged.found["macs"]
        quantities |= {"macs": _quantity(macs.to("pct_remaining")), "saved": _quantity(macs.to("pct_reduction"))}
    return {"statement": judged.corrected, "verdict": judged.corrected_verdict, "quantities": quantities}


def _text(judged: list[Judged], study: str, tier: str) -> str:
    rows = [[", ".join(one.claim.ids), one.verdict_where, one.arithmetic or "", one.claim.question] for one in judged]
    other = any(not one.own_data for one in judged)
    head = f"study {study} ({tier})" + (", on this tier where a claim's own data is not there" if other else "")
    lines = [head, WITHDRAWN, "", columns(["claim", "verdict", "published numbers", "question"], rows), ""]
    for one in judged:
        lines += [f"{', '.join(one.claim.ids)}: {one.verdict_where}", f"  {one.evidence}"]
        lines += [f"  run: {one.command}"] if one.command else []
    return "\n".join(lines)
