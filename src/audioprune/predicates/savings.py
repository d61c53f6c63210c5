"""Claims about MACs saved at less than a given loss: non-inferiority at a saving (paper.md 7)."""

from __future__ import annotations

from itertools import product

from audioprune import registry
from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.printed import published_drop
from audioprune.claims.verdict import LEVEL, Part
from audioprune.predicates._parts import (
    arithmetic,
    chance,
    each,
    measured,
    model,
    non_inferior,
    not_run,
    settling,
)
from audioprune.wording import number, p_value

SOURCES = {"audiomae": "table1", "ast": "p2"}  # whose printed drops there are, and where
RANK = ("supported", "inconclusive", "refuted")
Band = tuple[float, float]  # percent of MACs saved, least and most


def within(claim: Claim, evidence: Evidence) -> list[Part]:
    """For each model, dataset and method some keep-rate saves MACs within the band and is non-inferior at the margin.

    Quantities: `least` and `most` MACs saved, `margin` in points. A keep-rate outside the band decides nothing.
    """
    least, most = (claim.quantities[name].to("pct_reduction") for name in ("least", "most"))
    band, margin = (float(least.value), float(most.value)), float(claim.quantities["margin"].value)
    parts = []
    for family, dataset, method in product(claim.cells.backbones, claim.cells.datasets, claim.cells.methods):
        parts += _published(claim, evidence, family, dataset, method, band, margin)
        parts += _study(claim, evidence, family, dataset, method, band, margin)
    return parts


def _published(
    claim: Claim, evidence: Evidence, family: str, dataset: str, method: str, band: Band, margin: float
) -> list[Part]:
    """The printed drop at the keep-rates whose exact saving lies in the band, if the source has any."""
    from audioprune.statistics.noninferiority import least_upper_bound

    if family not in SOURCES or dataset not in registry.names("datasets"):
        return []
    backbone, source, clips = f"{family}-b", SOURCES[family], registry.dataset(dataset).all_test_clips
    drops = {
        rate: published_drop(source, backbone, dataset, rate, method)
        for rate in claim.cells.keep_rates
        if _inside(evidence, backbone, dataset, method, rate, band)
    }
    known = {rate: drop for rate, drop in drops.items() if drop is not None}
    if not known:
        return []
    rate, drop = min(known.items(), key=lambda one: one[1])
    saved, where = 100 - evidence.remaining(backbone, dataset, method, rate), source.replace("table", "P0 Table ")
    text = f"{saved:.1f} % saved at {rate:g}, {drop:.2f} points lost in {where.replace('p2', 'P2')}"
    bound = least_upper_bound(drop, clips) if registry.dataset(dataset).metric == "top1" and 0 < drop < margin else 0.0
    if bound >= margin:
        text += f" (true of the table; on one run of {clips} clips the upper bound is {bound:.2f} or more)"
    return [arithmetic(model(backbone, dataset, method), drop < margin, text, drop, "pp")]


def _study(
    claim: Claim, evidence: Evidence, family: str, dataset: str, method: str, band: Band, margin: float
) -> list[Part]:
    def judge(name: str, own: str) -> list[Part]:
        return [_best(claim, evidence, own, name, method, band, margin)]

    return each(claim, evidence, dataset, (family,), judge)


def _best(
    claim: Claim, evidence: Evidence, backbone: str, dataset: str, method: str, band: Band, margin: float
) -> Part:
    """The keep-rate with the best verdict."""
    name = model(backbone, dataset, method)
    planned = evidence.keep_rates(backbone, dataset, method, claim.cells.keep_rates)
    inside = [rate for rate in planned if _inside(evidence, backbone, dataset, method, rate, band)]
    if not inside:
        what = f"keep-rate for {name} that saves {band[0]:.1f} to {band[1]:.1f} % of the MACs"
        return not_run(name, evidence.unplanned(what))
    parts = [_at(evidence, backbone, dataset, method, rate, margin, len(inside)) for rate in inside]
    return min(parts, key=lambda part: RANK.index(part.verdict) if part.verdict in RANK else len(RANK))


def _at(evidence: Evidence, backbone: str, dataset: str, method: str, rate: float, margin: float, tried: int) -> Part:
    """At one keep-rate of several `tried`, of which the best is taken: its p-value counts for all of them."""
    name, drop = model(backbone, dataset, method), evidence.drop(backbone, dataset, method, rate)
    if isinstance(drop, Missing):
        return not_run(name, drop)
    saved = 100 - evidence.remaining(backbone, dataset, method, rate)
    verdict = non_inferior(drop, margin)
    text = f"{saved:.1f} % saved at {rate:g}, drop {number(drop.value, 2)} points"
    text += f", one-sided upper bound {number(drop.bounds[1], 2)}"
    if verdict == "inconclusive":
        text += f"; {settling(drop, margin, evidence.drops_by_seed(backbone, dataset, method, rate))}"
    p = chance(drop, margin, "above" if verdict == "refuted" else "below")
    if p is not None:
        p = min(1.0, p * tried)
        if p > LEVEL and verdict in ("supported", "refuted"):
            text += f"; {verdict} by itself, not as the best of {tried} keep-rates (p {p_value(p)})"
            verdict = "inconclusive"
    return measured(name, verdict, text, drop, p=p)


def _inside(evidence: Evidence, backbone: str, dataset: str, method: str, rate: float, band: Band) -> bool:
    return band[0] <= 100 - evidence.remaining(backbone, dataset, method, rate) <= band[1]
