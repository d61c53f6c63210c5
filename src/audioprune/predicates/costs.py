"""Claims about a share of MACs with a score and a drop: does the share remain, or is it saved? (paper.md 5.3, 7)"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing, command_of
from audioprune.claims.printed import printed as printed_text
from audioprune.claims.readings import decoded, readings
from audioprune.claims.units import Quantity, quantity
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import arithmetic, beside, covering, each, measured, not_run


def remaining(claim: Claim, evidence: Evidence) -> list[Part]:
    """The MACs that are decoded, that value and drop lead to the published baseline, and both against the study."""
    return [_macs(claim), *_baseline(claim, evidence), *_measured(claim, evidence)]


def _macs(claim: Claim) -> Part:
    """The printed share against the rule that it fits, and against the exact count of the model itself."""
    claimed = claim.quantities["macs"]
    reading, rate, possible = decoded(claim)
    is_, exact = Quantity(value=claimed.value, unit=reading.unit or claimed.unit), next(iter(possible.values()))
    saved, left = is_.to("pct_reduction"), float(is_.to("pct_remaining").value)
    close = abs(left - reading.remaining) <= float(claim.tolerance["decoded"].value)
    fits = f"by {reading.rule}: {reading.remaining:.2f} % remaining" if reading.unit else "fits no count of MACs"
    text = f"{is_}, {saved}; {fits}; exact: {exact:.2f} % remaining, {100 - exact:.2f} % saved"
    if rate is not None and rate not in claim.cells.keep_rates:
        text += f"; fits keep-rate {rate:g}, which the claim does not state"
    holds = bool(reading.unit) and close and abs(left - exact) <= float(claim.tolerance["exact"].value)
    return arithmetic("MACs", holds, text, exact, "pct_remaining")


def _baseline(claim: Claim, evidence: Evidence) -> list[Part]:
    """Value plus drop, exactly, against the unpruned value that the other quoted cells imply, where there is one."""
    found = readings(claim, evidence)
    if "score" not in found or "drop" not in found:
        return []
    dataset, metric = claim.cells.datasets[0], "map" if found["score"].unit == "mAP" else "top1"
    printed = printed_text("p2", dataset=dataset, method="none", metric=metric)
    if printed is None:
        return []
    base = quantity(printed, found["score"].unit)
    implied = found["score"] + found["drop"]
    text = f"{found['score']} and {found['drop'].value:f} lost imply {implied.value:f} unpruned"
    text += ", as the other cells do" if implied == base else f", others {base.value:f}"
    return [arithmetic("value and drop", implied.value == base.value, text, float(implied.value), implied.unit)]


def _measured(claim: Claim, evidence: Evidence) -> list[Part]:
    """The score, on its own dataset only, and the drop."""
    found, rate = readings(claim, evidence), decoded(claim)[1]
    (dataset,), families, (method,) = claim.cells.datasets, claim.cells.backbones, claim.cells.methods
    if rate is None:
        return _merging(claim, evidence, found["change"])

    def judge(own: str, backbone: str) -> list[Part]:
        drop = _drop(found["drop"], evidence, backbone, own, method, rate)
        if own != dataset or "score" not in found:
            return [drop]
        return [_score(found["score"], claim.tolerance["score"], evidence, backbone, own, method, rate), drop]

    return each(claim, evidence, dataset, families, judge)


def _merging(claim: Claim, evidence: Evidence, claimed: Quantity) -> list[Part]:
    """FastAST's model is trained by nobody here, so its change is not run; merging at stride 16 stands beside."""
    (dataset,), families, rule = claim.cells.datasets, claim.cells.backbones, decoded(claim)[0].rule or "the model"
    why = f"{rule} is only timed: no checkpoint of such a model is published, and none is trained here"
    parts = [not_run(dataset, Missing(why, command_of(evidence.study, "table7")))]
    lost = Quantity(value=-claimed.value, unit=claimed.unit)

    def judge(own: str, backbone: str) -> list[Part]:
        merged = evidence.off_the_shelf(backbone, own, "tome.r")
        return [
            replace(_drop(lost, evidence, backbone, own, method, 1.0), name=f"{method} of {backbone} on {own}")
            for method in merged
        ]

    found = each(claim, evidence, dataset, families, judge)
    return parts + [beside(part) for part in found if part.verdict != "not-run"]


def _drop(claimed: Quantity, evidence: Evidence, backbone: str, dataset: str, method: str, rate: float) -> Part:
    """The interval of the drop holds the claimed one."""
    name, drop = f"drop of {backbone} on {dataset}", evidence.drop(backbone, dataset, method, rate)
    if isinstance(drop, Missing):
        return not_run(name, drop)
    text = f"drop {drop} points, claimed {claimed.value:f}"
    return measured(name, evidence=text, found=drop, **covering(drop, float(claimed.value)))


def _score(
    score: Quantity,
    tolerance: Quantity,
    evidence: Evidence,
    backbone: str,
    dataset: str,
    method: str,
    rate: float,
) -> Part:
    """Within the tolerance of the printed value."""
    name, rows = f"{score.unit} of {backbone} on {dataset}", evidence.scores(backbone, dataset, (method, rate, "none"))
    found = rows if isinstance(rows, Missing) else evidence.contrast((1, rows[0]))
    if isinstance(found, Missing):
        return not_run(name, found)
    near = abs(Decimal(str(found.value)) - score.value) <= tolerance.value
    text = f"{found}, claimed {score.value:f} within {tolerance.value:f}"
    return measured(name, "supported" if near else "refuted", text, found, score.unit)
