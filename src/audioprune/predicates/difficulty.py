"""The claim that drops grow with pruning, and more for tasks with many classes (paper.md 7, 000-4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.printed import published_drop
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import each, not_run
from audioprune.results.estimate import Estimate
from audioprune.statistics.correlation import exact_p, spearman
from audioprune.wording import number, p_value

if TYPE_CHECKING:
    from audioprune.claims.claim import Verdict
    from audioprune.claims.verdict import Basis

MONOTONE = -0.8  # rank correlation of keep-rate and drop
POINTS = 4  # fewer decide nothing: three fall in order by chance in one of six
LEVEL = 0.05
HALF = 0.5
ONLY = ("topk",)  # methods that it can judge


def grows(claim: Claim, evidence: Evidence) -> list[Part]:
    """(a) on every dataset the rank correlation of keep-rate and drop is -0.8 or less; (b) across datasets that of
    classes and drop at 0.5 is positive beyond chance, by all permutations."""
    (family,), parts = claim.cells.backbones, []
    drops = {d: _published(evidence, f"{family}-b", d, claim.cells.keep_rates) for d in claim.cells.datasets}
    printed = {d: own for d, own in drops.items() if HALF in own}
    parts += [_along(f"{family}-b on {d}", own, "arithmetic") for d, own in printed.items()]
    if len(printed) >= POINTS:
        classes = {d: evidence.facts(d).num_classes for d in printed}
        parts.append(across(classes, {d: own[HALF] for d, own in printed.items()}, "arithmetic"))
    return parts + _study(claim, evidence, family)


def _published(evidence: Evidence, backbone: str, dataset: str, rates: Iterable[float]) -> dict[float, float]:
    found = {rate: published_drop("table1", backbone, dataset, rate) for rate in rates}
    return {rate: drop for rate, drop in found.items() if drop is not None}


def _study(claim: Claim, evidence: Evidence, family: str) -> list[Part]:
    parts: list[Part] = []
    halves: dict[str, Estimate] = {}

    def judge(name: str, backbone: str) -> list[Part]:
        rates = evidence.keep_rates(backbone, name, "topk", claim.cells.keep_rates)
        drops = {rate: evidence.drop(backbone, name, "topk", rate) for rate in rates}
        if isinstance(half := drops.get(HALF), Estimate):
            halves[name] = half
        return [_measured_along(evidence, f"{backbone} on {name}", drops)]

    for dataset in claim.cells.datasets:
        parts += each(claim, evidence, dataset, (family,), judge)
    return [*parts, _measured_across(evidence, halves)]


def _measured_along(evidence: Evidence, name: str, drops: dict[float, Estimate | Missing]) -> Part:
    found = {rate: drop for rate, drop in drops.items() if isinstance(drop, Estimate)}
    absent = [drop for drop in drops.values() if isinstance(drop, Missing)]
    if absent:
        return not_run(name, absent[0])
    if not found:
        return not_run(name, evidence.unplanned(f"keep-rate below 1 for {name}"))
    if len(found) < POINTS:
        return _too_few(name, {f"at {rate:g}": drop for rate, drop in found.items()}, "keep-rates")
    part = _along(name, {rate: drop.value for rate, drop in found.items()}, "cells")
    return _resting_on(part, list(found.values()), min(drop.n for drop in found.values()))


def _measured_across(evidence: Evidence, halves: dict[str, Estimate]) -> Part:
    if not halves:
        return not_run("across datasets", evidence.unplanned(f"drop at {HALF} that is there"))
    if len(halves) < POINTS:
        shown = {f"on {d} ({evidence.facts(d).num_classes} classes)": drop for d, drop in halves.items()}
        return _too_few("across datasets", shown, "datasets")
    classes = {dataset: evidence.facts(dataset).num_classes for dataset in halves}
    part = across(classes, {dataset: drop.value for dataset, drop in halves.items()}, "cells")
    return _resting_on(part, list(halves.values()), sum(drop.n for drop in halves.values()))


def _too_few(name: str, drops: dict[str, Estimate], of: str) -> Part:
    """Points that are measured and no rank correlation: so few fall in any order by chance."""
    shown = ", ".join(f"{number(drop.value, 2)} {where}" for where, drop in drops.items())
    text = f"points lost: {shown}; {len(drops)} {of} are too few for a rank correlation, which needs {POINTS}"
    found = list(drops.values())
    return _resting_on(Part(name, "open", "cells", text), found, min(drop.n for drop in found))


def _resting_on(part: Part, drops: list[Estimate], n: int) -> Part:
    cells = tuple(dict.fromkeys(cell for drop in drops for cell in drop.cells))
    evidence = ", ".join(dict.fromkeys([part.evidence, *(drop.left_out for drop in drops if drop.left_out)]))
    return replace(part, evidence=evidence, n=n, seeds=min(drop.seeds for drop in drops), cells=cells)


def _along(name: str, drops: dict[float, float], basis: Basis) -> Part:
    """Rank correlation along the keep-rates of one dataset. No interval: it judges the order of the points."""
    rho = spearman(list(drops), list(drops.values())) if len(set(drops.values())) > 1 else 0.0
    text = f"rank correlation {number(rho, 2)} of keep-rate and drop, over {len(drops)} keep-rates"
    verdict: Verdict = "supported" if rho <= MONOTONE + 1e-9 else "refuted"
    return Part(name, verdict, basis, text, rho, unit="ratio")


def across(classes: dict[str, int], drops: dict[str, float], basis: Basis) -> Part:
    """Rank correlation of the number of classes and the drop, of so few datasets that all orders can be tried."""
    if len(set(classes.values())) < 2 or len(set(drops.values())) < 2:
        text = "all datasets have the same number of classes, or the same drop"
        return Part("across datasets", "inconclusive", basis, text)
    x, y = list(classes.values()), [drops[d] for d in classes]
    rho, p = spearman(x, y), exact_p(x, y)
    verdict: Verdict = "inconclusive" if p > LEVEL else "supported" if rho > 0 else "refuted"
    text = (
        f"rank correlation {number(rho, 2)} of classes and drop at {HALF} over {len(x)} datasets, exact p {p_value(p)}"
    )
    return Part("across datasets", verdict, basis, text, rho, unit="ratio")
