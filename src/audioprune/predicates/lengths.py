"""What is asked of pruning once padding is gone: does it still pay, and does noise cost more at the fastest point?"""

from __future__ import annotations

from audioprune import registry
from audioprune.claims.claim import Claim, Verdict
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import measured, not_run
from audioprune.profiling.batchings import Arm
from audioprune.results import noise_judged, operating, paces
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.operating import Operating
from audioprune.results.study import Result
from audioprune.settings.costs import Batching
from audioprune.wording import number

BATCHINGS: tuple[Batching, ...] = ("bucketed", "padded")


def pays(claim: Claim, evidence: Evidence) -> list[Part]:
    """On clips without padding, in buckets of equal length, the pruned model is faster than the unpruned one."""
    timed = [
        one for one in evidence.results.cells("pace") if one.settings.backbone and _is_of(claim, one.settings.backbone)
    ]
    if not timed:
        return [not_run("speed", evidence.unplanned("classifier under `pace` on clips of their own lengths"))]
    return [_speed(evidence, one, rate) for one in timed for rate in claim.cells.keep_rates]


def _is_of(claim: Claim, backbone: str) -> bool:
    return registry.backbone(backbone).family.name in claim.cells.backbones


def _speed(evidence: Evidence, timing: Result, rate: float) -> Part:
    own = timing.settings
    name = f"{own.backbone} on {own.dataset} at {rate:g}, {own.device}"
    if not timing.ok:
        return not_run(name, Missing(timing.why, evidence.command))
    arms = {one.arm: one for one in paces.paces(timing)}
    wanted = [arms.get(Arm(batching, "topk", rate)) for batching in BATCHINGS]
    found = [None if one is None else one.timed["pruning_speed_up"] for one in wanted]
    native, padded = found
    if not isinstance(native, Estimate) or not isinstance(padded, Estimate):
        return not_run(name, Missing(f"topk at {rate:g} was not timed both in buckets and padded", evidence.command))
    text = f"{native} times faster without padding, {padded} with it (medians and quartiles of the runs): "
    text += f"{number(native.value / padded.value, 2)} as much"
    return measured(name, faster(native), text, native, "times (quartiles)")


def faster(found: Estimate) -> Verdict:
    """By the quartiles over the runs."""
    return "supported" if found.low > 1 else "refuted" if found.high < 1 else "inconclusive"


def at_fastest(claim: Claim, evidence: Evidence) -> list[Part]:
    """At the fastest point whose clean accuracy is kept, the pruned model loses more to noise than the unpruned one."""
    found = [one for one in operating.every(evidence.results) if _is_of(claim, one.backbone)]
    if not found:
        what = "classifier under `pace` whose accuracy `durations` measures on the same clips"
        return [not_run("operating point", evidence.unplanned(what))]
    return [_at(evidence, one) for one in found]


def _at(evidence: Evidence, one: Operating) -> Part:
    name, chosen = f"{one.backbone} on {one.dataset}", one.chosen
    if isinstance(chosen, Absent):
        return not_run(name, Missing(chosen.why, evidence.command))
    where = f"{chosen.arm.batching}, keep-rate {chosen.arm.keep_rate:g}"
    where += f", {number(chosen.speed.value, 0)} s of sound a second"
    if chosen.arm.keep_rate == 1:
        text = f"the fastest point that keeps accuracy does not prune: {where}"
        return measured(name, "refuted", text, chosen.drop)
    judged = [
        own
        for own in noise_judged.judged(evidence.results, "degrades")
        if (own.model.backbone, own.model.dataset) == (one.backbone, one.dataset)
        and (own.model.method, own.model.keep_rate) == (chosen.arm.policy, chosen.arm.keep_rate)
    ]
    if not judged or judged[0].outcome is None or isinstance(judged[0].found, Absent):
        why = judged[0].found.why if judged and isinstance(judged[0].found, Absent) else "it was not asked about noise"
        return not_run(name, Missing(f"fastest is {where}; {why}", evidence.command))
    (own, *_) = judged
    assert own.outcome is not None, "it is judged"
    told = "; ".join(filter(None, (f"fastest is {where}", f"{own.found} points more lost to noise", own.outcome.told)))
    assert isinstance(own.found, Estimate), "what is absent was told"
    return measured(name, own.outcome.verdict, told, own.found, p=own.p)
