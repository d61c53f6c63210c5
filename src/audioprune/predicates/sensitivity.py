"""Claims that one model loses more than another: differences of drops, and differences of their slopes (paper.md 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import product

from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.printed import published_drop
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import above, arithmetic, beside, chance, each, measured, model, not_run
from audioprune.statistics.slope import slope_factors

BESIDE = ("ast-mp",)  # its pre-training is not released: its absence leaves nothing open
PUBLISHED = {"audiomae": ("table1", "audiomae-b"), "ast": ("table5", "ast-b"), "ast-mp": ("table5", "ast-mp-b")}


def loses_more(claim: Claim, evidence: Evidence) -> list[Part]:
    """The first family's drop minus each other one's is above zero, at every keep-rate and on every dataset."""
    parts, (first, *others) = [], claim.cells.backbones
    for dataset, other, method in product(claim.cells.datasets, others, claim.cells.methods):
        parts += _published_drops(claim, evidence, first, other, dataset, method)
        found = each(claim, evidence, dataset, (first, other), partial(_difference, claim, evidence, method))
        parts += [beside(part) if other in BESIDE and part.verdict == "not-run" else part for part in found]
    return parts


def steeper(claim: Claim, evidence: Evidence) -> list[Part]:
    """The first family's drop rises more steeply with the share of tokens pruned than each other one's."""
    parts, (first, *others) = [], claim.cells.backbones
    for dataset, other, method in product(claim.cells.datasets, others, claim.cells.methods):
        parts += _published_slopes(claim, evidence, first, other, dataset, method)
        parts += each(claim, evidence, dataset, (first, other), partial(_slopes, claim, evidence, method))
    return parts


def slope_weights(keep_rates: Sequence[float]) -> dict[float, float]:
    """{keep-rate: factor of its drop} in the least-squares slope of drop against 1 - keep-rate.

    The unpruned model is a point too, with drop 0 at 0, so its factor multiplies nothing and is left out.
    """
    _, *factors = slope_factors([0.0, *(1 - rate for rate in keep_rates)]).tolist()
    return dict(zip(keep_rates, factors, strict=True))


def _drops(evidence: Evidence, family: str, dataset: str, rates: Iterable[float], method: str) -> dict[float, float]:
    if family not in PUBLISHED:
        return {}
    found = {rate: published_drop(*PUBLISHED[family], dataset, rate, method) for rate in rates}
    return {rate: drop for rate, drop in found.items() if drop is not None}


def _published_drops(claim: Claim, evidence: Evidence, first: str, other: str, dataset: str, method: str) -> list[Part]:
    ours, theirs = (_drops(evidence, family, dataset, claim.cells.keep_rates, method) for family in (first, other))
    return [
        arithmetic(
            f"{first} against {model(other, dataset, method)} at {rate:g}", round(ours[rate] - theirs[rate], 9) > 0,
            f"{ours[rate]:.2f} against {theirs[rate]:.1f} points lost", ours[rate] - theirs[rate], "pp",
        )
        for rate in ours
        if rate in theirs
    ]  # fmt: skip


def _published_slopes(
    claim: Claim, evidence: Evidence, first: str, other: str, dataset: str, method: str
) -> list[Part]:
    ours, theirs = (_drops(evidence, family, dataset, claim.cells.keep_rates, method) for family in (first, other))
    shared = [rate for rate in ours if rate in theirs]
    if len(shared) < 2:
        return []
    weights = slope_weights(shared)
    a, b = (sum(weights[rate] * drops[rate] for rate in shared) for drops in (ours, theirs))
    text = f"{a:.2f} against {b:.2f} points for all tokens, from {len(shared)} keep-rates"
    return [arithmetic(f"{first} against {model(other, dataset, method)}", a > b, text, a - b, "pp")]


def _shared_rates(claim: Claim, evidence: Evidence, a: str, b: str, dataset: str, method: str) -> list[float]:
    planned = [evidence.keep_rates(one, dataset, method, claim.cells.keep_rates) for one in (a, b)]
    return [rate for rate in planned[0] if rate in planned[1]]


def _difference(claim: Claim, evidence: Evidence, method: str, dataset: str, a: str, b: str) -> list[Part]:
    rates, both = _shared_rates(claim, evidence, a, b, dataset, method), model(b, dataset, method)
    if not rates:
        return [not_run(dataset, evidence.unplanned(f"keep-rate of {a} and {both} that the claim names"))]
    return [
        _combined(evidence, f"{a} against {both} at {rate:g}", a, b, dataset, method, {rate: 1.0}) for rate in rates
    ]


def _slopes(claim: Claim, evidence: Evidence, method: str, dataset: str, a: str, b: str) -> list[Part]:
    rates, both = _shared_rates(claim, evidence, a, b, dataset, method), model(b, dataset, method)
    name = f"{a} against {both}"
    if len(rates) < 2:
        return [not_run(name, evidence.unplanned(f"two keep-rates below 1 of {a} and {both}"))]
    return [_combined(evidence, name, a, b, dataset, method, slope_weights(rates), "points for all tokens")]


def _combined(
    evidence: Evidence,
    name: str,
    a: str,
    b: str,
    dataset: str,
    method: str,
    weights: dict[float, float],
    unit: str = "points",
) -> Part:
    """Sum over keep-rates of weight x (drop of a minus drop of b), with one interval."""
    terms = []
    for sign, backbone in ((1, a), (-1, b)):
        wanted = [("none", 1.0, "none"), *((method, rate, "none") for rate in weights)]
        found = evidence.scores(backbone, dataset, *wanted)
        if isinstance(found, Missing):
            return not_run(name, found)
        unpruned, *pruned = found
        for weight, scores in zip(weights.values(), pruned, strict=True):
            terms += [(sign * weight, unpruned), (-sign * weight, scores)]
    estimate = evidence.contrast(*terms)
    if isinstance(estimate, Missing):
        return not_run(name, estimate)
    return measured(name, above(estimate), f"difference in drops {estimate} {unit}", estimate, p=chance(estimate))
