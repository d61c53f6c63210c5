"""Claims about ranking criteria: attention against statistics of the patch, CLS against global scores."""

from __future__ import annotations

from functools import partial

from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.printed import printed_number
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import above, arithmetic, chance, each, measured, not_run, printed, shown

DISCARDS = "discard"  # the figure of what discarding costs
LOSES = (
    "true by construction: as released, the ranking loses the tokens that AST classifies from, and one of those that "
    "AudioMAE classifies from"
)


def attention_wins(claim: Claim, evidence: Evidence) -> list[Part]:
    """At equal MACs, tokens ranked as the claim's methods do, such as by intensity or variation, score below tokens
    ranked by attention; as released a ranking loses the prefix tokens, so that what it costs is no verdict and stands
    beside (differences.md, B2). And dropping the clusters C1 and C2 of an unpruned model costs more than dropping
    none; what it costs beyond as many tokens at random stands beside (paper.md 7)."""
    parts = []
    for family in claim.cells.backbones:
        for dataset in claim.cells.datasets:
            parts += each(claim, evidence, dataset, (family,), partial(_statistics, claim, evidence))
            parts += each(claim, evidence, dataset, (family,), partial(_discarded, evidence))
    return parts


def _discarded(evidence: Evidence, dataset: str, backbone: str) -> list[Part]:
    name = f"tokens of C1 and C2 discarded, {backbone} on {dataset}"
    found = evidence.discarded(backbone, dataset, "C1C2")
    if isinstance(found, Missing):
        return [not_run(name, found)]
    parts = []
    for block, (none, random) in found.items():
        where = f"{name}, after block {block}"
        parts.append(measured(where, above(none), f"points lost: {none}", none, p=chance(none), exhibit=DISCARDS))
        told = f"points lost beyond as many at random: {random}"
        part = measured(f"{where}, control", above(random), told, random, counted=False, exhibit=DISCARDS)
        parts.append(shown(part, "the claim about these tokens is judged against discarding none"))
    return parts


def _statistics(claim: Claim, evidence: Evidence, dataset: str, backbone: str) -> list[Part]:
    parts = []
    for statistic in claim.cells.methods:
        rated = {
            method: evidence.keep_rates(backbone, dataset, method, claim.cells.keep_rates)
            for method in (statistic, f"{statistic}.as_released")
        }
        for method, rates in rated.items():
            for rate in rates:
                name = f"attention against {method} for {backbone} on {dataset} at {rate:g}"
                released = method.endswith(".as_released")
                part = _against(evidence, name, backbone, dataset, "topk", method, rate, not released)
                parts.append(shown(part, LOSES) if released else part)
        if not any(rated.values()):
            what = f"evaluation of {backbone} on {dataset} with tokens ranked by {statistic}"
            parts.append(not_run(f"{statistic} for {backbone} on {dataset}", evidence.unplanned(what)))
    return parts


def cls_hurts(claim: Claim, evidence: Evidence) -> list[Part]:
    """Models that rank by the class-token score lose more than models that rank by the global score."""
    (family,), parts = claim.cells.backbones, []
    for dataset in claim.cells.datasets:
        for rate in claim.cells.keep_rates:
            parts += printed(_published, evidence, f"{family}-b", dataset, rate)
        parts += each(claim, evidence, dataset, (family,), partial(_scores, claim, evidence))
    return parts


def _scores(claim: Claim, evidence: Evidence, dataset: str, backbone: str) -> list[Part]:
    name, rates = f"{backbone} on {dataset}", evidence.keep_rates(backbone, dataset, "topk.cls", claim.cells.keep_rates)
    if not rates:
        return [not_run(name, evidence.unplanned(f"evaluation of {name} with tokens ranked by the class-token score"))]
    return [_against(evidence, f"{name} at {rate:g}", backbone, dataset, "topk", "topk.cls", rate) for rate in rates]


def _published(evidence: Evidence, backbone: str, dataset: str, rate: float) -> Part:
    ours, theirs = (
        printed_number(table, backbone=backbone, dataset=dataset, method=method, keep_rate=f"{rate:g}", metric="top1")
        for table, method in (("table1", "topk"), ("table5", "topk.cls"))
    )
    text = f"{theirs:.1f} by class-token score against {ours:.2f} by global score"
    return arithmetic(f"{backbone} on {dataset} at {rate:g}", theirs < ours, text, ours - theirs, "pp")


def _against(
    evidence: Evidence,
    name: str,
    backbone: str,
    dataset: str,
    better: str,
    worse: str,
    rate: float,
    counted: bool = True,
) -> Part:
    """Score with `better` minus score with `worse`, at one keep-rate."""
    rows = evidence.scores(backbone, dataset, (better, rate, "none"), (worse, rate, "none"))
    found = rows if isinstance(rows, Missing) else evidence.contrast((1, rows[0]), (-1, rows[1]))
    if isinstance(found, Missing):
        return not_run(name, found, counted=counted)
    return measured(name, above(found), f"difference {found} points", found, p=chance(found), counted=counted)
