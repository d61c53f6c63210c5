"""What is asked of pruned recognisers: which tokens, how many, what is saved; and what others claim of Whisper.

The comparisons, and the rule that judges them, are those of the table wer-contrasts (results.retention), adjusted there
for all that is asked of one test set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import beside, chance, measured, non_inferior, not_run
from audioprune.results import paces, recognitions, retention
from audioprune.results.estimate import Absent, Estimate
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.claims.claim import Verdict
    from audioprune.results.recognitions import Arm
    from audioprune.results.retention import Compared, Question

PADDING = {"sound": "within the sound", "window": "of the whole window"}
TABLE = "wer"
NAMES: dict[Question, str] = {"which": "which tokens", "how many": "how many tokens", "savings": "savings"}
EARLY = ((0,), (1,), (2,))  # blocks of which one is early, of six at least


def which(claim: Claim, evidence: Evidence) -> list[Part]:
    """At equal token counts topk has a lower word error rate than the static policy that other speakers prefer."""
    return _asked(claim, evidence, "which")


def how_many(claim: Claim, evidence: Evidence) -> list[Part]:
    """On the same weights and at the same cost a number of tokens that varies has a lower rate than a fixed share."""
    return _asked(claim, evidence, "how many")


def savings(claim: Claim, evidence: Evidence) -> list[Part]:
    """Topk saves more MACs than any uniform policy before the word error rate is a tenth above the unpruned one."""
    return _asked(claim, evidence, "savings")


def _asked(claim: Claim, evidence: Evidence, question: Question) -> list[Part]:
    found = [one for one in retention.compared(evidence.results) if one.question == question and _is_of(claim, one)]
    if not any(one.counts for one in found):
        what = f"comparison of {', '.join(claim.cells.recognisers)} that counts for: {NAMES[question]}"
        return [not_run(NAMES[question], evidence.unplanned(what)), *(_part(evidence, one) for one in found)]
    return [_part(evidence, one) for one in found]


def _is_of(claim: Claim, one: Compared) -> bool:
    return family(one.place.recogniser) in claim.cells.recognisers


def family(recogniser: str) -> str:
    """'whisper' of whisper-base-en."""
    return recogniser.partition("-")[0]


def _part(evidence: Evidence, one: Compared) -> Part:
    """One comparison. What is not matched in cost is no verdict, and neither is what was fixed to stand beside."""
    rate = "" if one.keep_rate is None else f" at {one.keep_rate:g}"
    name = f"{one.policy}{rate} against {one.against}, {one.place}"
    if isinstance(one.found, Absent):
        return not_run(name, Missing(one.found.why, evidence.command), counted=one.counts)
    outcome, p = one.outcome, one.p
    told = [f"difference {one.found} points" if one.sides is None else _saved(one)]
    told += [f"matters from {number(one.margin, 1)}"] if one.margin is not None else []
    told += [outcome.told] if outcome and outcome.told else []
    if outcome is None or p is None:
        why = one.unmatched or "no unpruned transcripts beside it"
        return measured(name, "open", "; ".join([*told, why]), one.found, counted=False)
    # an interval without width, and speakers too few to be exchanged, are tests that nothing could pass
    return measured(
        name, outcome.verdict, "; ".join(told), one.found, p=p.alone, counted=one.counts,
        holm=p.adjusted if one.counts else None,
    )  # fmt: skip


def _saved(one: Compared) -> str:
    assert one.sides is not None
    own, other = one.sides
    return f"{own} % of the MACs saved, {other} by {one.against}: {one.found} points more"


# --- sparsification by attention, at an early layer ----------------------------------------------------------------


def sparsified(claim: Claim, evidence: Evidence) -> list[Part]:
    """Whisper off the shelf, its tokens cut by attention at one early block, loses less than the margin: within the
    sound, and of the whole window, where most of what goes is padding. And it is faster, where that was timed.

    Quantities: `margin` in points of word error rate (one-sided 95 % bound), `speed_up`.
    """
    every = recognitions.arms(evidence.results)
    own = [
        arm
        for arm in every
        if family(arm.place.recogniser) in claim.cells.recognisers
        and (arm.policy, arm.budget, arm.plain) == ("topk", "fixed", True)
        and arm.keep_rate in claim.cells.keep_rates
        and arm.place.blocks in EARLY
    ]
    if not own:
        rates = ", ".join(f"{rate:g}" for rate in claim.cells.keep_rates)
        return [not_run("loss", evidence.unplanned(f"Whisper with topk at one early block, at keep-rate {rates}"))]
    judges: tuple[Callable[..., Part], ...] = (_loss, _faster)
    return [judge(claim, evidence, every, arm) for judge in judges for arm in own]


def _loss(claim: Claim, evidence: Evidence, every: list[Arm], arm: Arm) -> Part:
    margin = float(claim.quantities["margin"].value)
    name = f"{arm.place.recogniser} on {arm.place.dataset} at {arm.keep_rate:g}, tokens {PADDING[arm.place.within]}"
    found = recognitions.difference(evidence.results, arm, recognitions.unpruned(every, arm.place))
    if isinstance(found, Absent):
        return not_run(name, Missing(found.why, evidence.command))
    verdict = non_inferior(found, margin)
    frame = recognitions.clips(evidence.results, arm)
    sound = 100 * frame["kept_sound"].sum() / frame["sound"].sum()
    text = f"{found} points more errors than unpruned, one-sided upper bound {number(found.bounds[1], 2)}"
    text += f"; {number(sound, 0)} % of the sound's tokens stay"
    p = chance(found, margin, "above" if verdict == "refuted" else "below")
    return measured(name, verdict, text, found, p=p, exhibit=TABLE)


def _faster(claim: Claim, evidence: Evidence, every: list[Arm], arm: Arm) -> Part:
    """Judged where it was timed; else it stands beside as not run, since the loss can be judged without."""
    name = f"speed of {arm.place.recogniser} on {arm.place.dataset} at {arm.keep_rate:g}, {PADDING[arm.place.within]}"
    found = paces.speed_up(evidence.results, arm)
    if isinstance(found, Absent):
        return beside(not_run(name, Missing(found.why, evidence.command)))
    text = f"{found} times faster, one clip at a time, from end to end (median and quartiles)"
    text += f"; claimed up to {claim.quantities['speed_up'].value}"
    return measured(name, _reached(found), text, found, "times (quartiles)", exhibit=TABLE)


def _reached(found: Estimate) -> Verdict:
    """`Up to` so many times says that it is faster; by how much, depends on the device and stands in the evidence."""
    return "supported" if found.low > 1 else "refuted" if found.high < 1 else "inconclusive"
