"""What the quantities of a claim really are: MACs are decoded, scores get the metric of their dataset.

A claim whose unit is another one cannot be computed with what it is: `misread` finds it by that error.
"""

from __future__ import annotations

from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence
from audioprune.claims.units import SHARES, Quantity, UnitError
from audioprune.forensics.costs_decoded import Reading, candidates, read

RATES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)


def decoded(claim: Claim) -> tuple[Reading, float | None, dict[str, float]]:
    """How the claim's `macs` reads, the keep-rate that it fits, and the candidates there, all of the published sizes.

    A claim that does not say its keep-rate is tried with all of them.
    """
    cells, printed = claim.cells, f"{claim.quantities['macs'].value:f}"
    backbone, dataset, method = f"{cells.backbones[0]}-b", cells.datasets[0], cells.methods[0]
    rates = [None] if method == "tome" else cells.keep_rates or RATES
    tried = [(rate, candidates(backbone, dataset, method, rate)) for rate in rates]
    for rate, possible in tried:
        if (reading := read(printed, possible)).unit:
            return reading, rate, possible
    return read(printed, tried[0][1]), *tried[0]


def readings(claim: Claim, evidence: Evidence) -> dict[str, Quantity]:
    """Quantities as they are; those that say nothing about themselves are left as claimed."""
    found = dict(claim.quantities)
    if (macs := found.get("macs")) and macs.unit in SHARES and (unit := decoded(claim)[0].unit):
        found["macs"] = Quantity(value=macs.value, unit=unit)
    if (score := found.get("score")) and score.unit in ("accuracy", "mAP"):
        metric = evidence.facts(claim.cells.datasets[0]).metric
        found["score"] = Quantity(value=score.value, unit="mAP" if metric == "map" else "accuracy")
    return found


def misread(claim: Claim, found: dict[str, Quantity]) -> dict[str, tuple[Quantity, Quantity]]:
    """{name: (as claimed, as it is)} of the quantities whose unit is not what the claim says."""
    wrong = {}
    for name, claimed in claim.quantities.items():
        try:
            claimed <= found[name]  # noqa: B015
        except UnitError:
            wrong[name] = (claimed, found[name])
    return wrong
