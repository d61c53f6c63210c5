"""What is asked of pruned models in noise: do they lose more than unpruned ones, and does noise mislead the selection?

The comparisons, and the rule that judges them, are those of the table robustness (results.noise_judged), adjusted there
for all models of one question.
"""

from __future__ import annotations

from audioprune import registry
from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import measured, not_run
from audioprune.results import noise_judged
from audioprune.results.estimate import Absent
from audioprune.results.noise_judged import Judged, Question

OTHER = {"degrades": "the unpruned model", "misled": "a random choice of as many tokens"}


def degrades(claim: Claim, evidence: Evidence) -> list[Part]:
    """A model trained with topk loses more to noise than the unpruned one trained alike."""
    return _asked(claim, evidence, "degrades")


def misled(claim: Claim, evidence: Evidence) -> list[Part]:
    """Off the shelf, topk loses more to noise than a random choice of as many tokens."""
    return _asked(claim, evidence, "misled")


def _asked(claim: Claim, evidence: Evidence, question: Question) -> list[Part]:
    found = [one for one in noise_judged.judged(evidence.results, question) if _is_of(claim, one)]
    if not found:
        how = "trained with topk" if question == "degrades" else "that topk prunes off the shelf"
        rates = ", ".join(f"{rate:g}" for rate in claim.cells.keep_rates)
        return [not_run("noise", evidence.unplanned(f"model {how} at {rates} under `robustness`"))]
    return [_part(evidence, one, question) for one in found]


def _is_of(claim: Claim, one: Judged) -> bool:
    family = registry.backbone(one.model.backbone).family.name
    return family in claim.cells.backbones and one.model.keep_rate in claim.cells.keep_rates


def _part(evidence: Evidence, one: Judged, question: Question) -> Part:
    model = one.model
    how = "trained with" if question == "degrades" else "off the shelf:"
    name = f"{model.backbone} on {model.dataset}, {how} {model.method} at {model.keep_rate:g}"
    known = None if one.robust is None else one.robust.counted
    if known is not None and not known.known.learnt:
        why = f"left out, as the unpruned model has not learnt enough: {known.known.said}"
        return not_run(name, Missing(why, evidence.command))
    if isinstance(one.found, Absent):
        return not_run(name, Missing(one.found.why, evidence.command))
    assert one.robust is not None, "what was found is of a model with measures"
    assert known is not None, "and with conditions"
    assert one.outcome is not None, "it is judged"
    told = [f"{one.found} points more lost to noise than by {OTHER[question]}"]
    if question == "degrades" and one.robust.logit is not None and not isinstance(one.robust.logit, Absent):
        told.append(f"in logits {one.robust.logit}")
    told += [f"left out: {known.said}"] if known.floored else []
    told += [one.outcome.told] if one.outcome.told else []
    return measured(name, one.outcome.verdict, "; ".join(told), one.found, p=one.p, holm=one.adjusted)
