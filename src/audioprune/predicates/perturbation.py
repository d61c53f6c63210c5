"""P0's perturbation tests (Table 4): I exchanges kept signal for pruned signal, II background for background, III kept
background for pruned signal. Its labels of signal and background are withdrawn; the differences can be measured."""

from __future__ import annotations

from collections.abc import Iterable

from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.printed import printed_number
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import above, arithmetic, chance, each, measured, not_run, printed

ONLY = ("topk",)  # methods that it can judge
EXCEPTED = ("esc50", 0.5)  # P0 names this one case where test III is not below test II


def signal_matters_more(claim: Claim, evidence: Evidence) -> list[Part]:
    """Test I costs more than test II."""
    return _compared(claim, evidence, "II", "I")


def signal_for_background_costs_more(claim: Claim, evidence: Evidence) -> list[Part]:
    """Test III costs more than test II, but for the one case that P0 names, which stands beside."""
    return _compared(claim, evidence, "II", "III", excepted=EXCEPTED)


def no_gain(claim: Claim, evidence: Evidence) -> list[Part]:
    """Test III does not improve on the model unperturbed: what it loses is not below zero."""
    return _compared(claim, evidence, "none", "III", at_least=True)


def background_costs(claim: Claim, evidence: Evidence) -> list[Part]:
    """Test II costs more than `margin` points."""
    return _compared(claim, evidence, "none", "II", threshold=float(claim.quantities["margin"].value))


def _compared(
    claim: Claim,
    evidence: Evidence,
    first: str,
    second: str,
    threshold: float = 0.0,
    at_least: bool = False,
    excepted: tuple[str, float] | tuple[()] = (),
) -> list[Part]:
    """Accuracy under `first` minus that under `second` is above the threshold (or at least not below it)."""
    parts, (family,), wanted = [], claim.cells.backbones, claim.cells.keep_rates

    def judge(name: str, backbone: str) -> list[Part]:
        rates = _rates(evidence, backbone, name, wanted)
        if not rates:
            return [not_run(f"{backbone} on {name}", evidence.unplanned(f"perturbation tests of {backbone} on {name}"))]
        return [
            _measured(evidence, backbone, name, rate, first, second, threshold, at_least, (name, rate) != excepted)
            for rate in rates
        ]

    for dataset in claim.cells.datasets:
        for rate in wanted:
            counted = (dataset, rate) != excepted
            parts += printed(_published, evidence, dataset, rate, first, second, threshold, at_least, counted)
        parts += each(claim, evidence, dataset, (family,), judge)
    return parts


def _rates(evidence: Evidence, backbone: str, dataset: str, wanted: Iterable[float]) -> list[float]:
    planned = {
        rate
        for (b, d, _), own in evidence.models.items()
        for _, rate, test in own
        if (b, d) == (backbone, dataset) and test != "none"
    }
    return sorted(planned & set(wanted), reverse=True)


def _name(test: str) -> str:
    return "unperturbed" if test == "none" else f"test {test}"


def _published(
    evidence: Evidence,
    dataset: str,
    rate: float,
    first: str,
    second: str,
    threshold: float,
    at_least: bool,
    counted: bool,
) -> Part:
    a, b = (
        printed_number("table4", dataset=dataset, keep_rate=f"{rate:g}", location=test, metric="top1")
        for test in (first, second)
    )
    off = round(a - b, 9)
    holds = off >= threshold if at_least else off > threshold
    text = f"{a:.2f} {_name(first)}, {b:.2f} in {_name(second)}"
    return arithmetic(f"{dataset} at {rate:g}", holds, text, off, "pp", counted=counted)


def _measured(
    evidence: Evidence,
    backbone: str,
    dataset: str,
    rate: float,
    first: str,
    second: str,
    threshold: float,
    at_least: bool,
    counted: bool,
) -> Part:
    name = f"{backbone} on {dataset} at {rate:g}"
    rows = evidence.scores(backbone, dataset, ("topk", rate, first), ("topk", rate, second))
    found = rows if isinstance(rows, Missing) else evidence.contrast((1, rows[0]), (-1, rows[1]))
    if isinstance(found, Missing):
        return not_run(name, found, counted=counted)
    verdict, p = above(found, threshold), chance(found, threshold)
    if at_least:
        verdict = (
            "refuted" if found.high < threshold else "supported" if found.bounds[0] >= threshold else "inconclusive"
        )
    if at_least and verdict == "supported":
        p = chance(found, threshold, "above")
    text = f"{_name(first)} minus {_name(second)}: {found} points"
    return measured(name, verdict, text, found, p=p, counted=counted)
