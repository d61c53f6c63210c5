"""The claim that throughput about doubles at keep-rate 0.5 (P0 Table 7). Speed-ups are compared, never samples/s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.printed import printed_number
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import arithmetic, each, measured, not_run, printed
from audioprune.results.estimate import Estimate

if TYPE_CHECKING:
    from audioprune.claims.claim import Verdict

ONLY = ("topk",)  # methods that it can judge


def about(claim: Claim, evidence: Evidence) -> list[Part]:
    """The speed-up is `speed_up` within its tolerance on every dataset."""
    parts, (family,), (rate, *_) = [], claim.cells.backbones, claim.cells.keep_rates
    wanted, within = float(claim.quantities["speed_up"].value), float(claim.tolerance["speed_up"].value)
    for dataset in claim.cells.datasets:
        parts += printed(_published, evidence, f"{family}-b", dataset, rate, wanted, within)
        parts += each(
            claim,
            evidence,
            dataset,
            (family,),
            lambda name, own: [_measured(evidence, own, name, rate, wanted, within)],
        )
    return parts


def _published(evidence: Evidence, backbone: str, dataset: str, rate: float, wanted: float, within: float) -> Part:
    fast, base = (
        printed_number("table7", backbone=backbone, dataset=dataset, keep_rate=text, metric="throughput")
        for text in (f"{rate:g}", "1.0")
    )
    text = f"{fast / base:.3f} times, MACs {100 / evidence.remaining(backbone, dataset, 'topk', rate):.3f} times fewer"
    return arithmetic(f"{backbone} on {dataset}", abs(fast / base - wanted) <= within, text, fast / base, "ratio")


def _measured(evidence: Evidence, backbone: str, dataset: str, rate: float, wanted: float, within: float) -> Part:
    name, found = f"{backbone} on {dataset}", evidence.speed_ups(backbone, dataset, rate)
    if isinstance(found, Missing):
        return not_run(name, found)
    return measured(
        name, speed(found, wanted, within), f"{found} times, median and quartiles", found, "times (quartiles)"
    )


def speed(found: Estimate, wanted: float, within: float) -> Verdict:
    """Supported when the median lies within, refuted when the quartiles do not reach it."""
    if abs(found.value - wanted) <= within:
        return "supported"
    return "inconclusive" if found.low <= wanted + within and found.high >= wanted - within else "refuted"
