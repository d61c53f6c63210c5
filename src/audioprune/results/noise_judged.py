"""What is asked of models in noise, judged: by noise_rule, adjusted by Holm for all that one question rests on.

degrades    does a model that was trained with topk lose more to noise than the unpruned one?
misled      does topk, off the shelf, lose more than a random choice of as many tokens?

What counts was fixed beforehand: these two, of models trained on clean clips, at every keep-rate that a study asks
about. Other methods, models trained with noise, and reverberation stand beside; models whose unpruned one has not
learnt enough are in no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audioprune.results import noise_rule, robustness
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.noise import Model
from audioprune.results.noise_rule import Outcome
from audioprune.results.robustness import Robust
from audioprune.results.study import Results

Question = Literal["degrades", "misled"]
LEVEL = 0.05
TOPK = "topk"


@dataclass(frozen=True)
class Judged:
    """One model's answer to a question."""

    model: Model
    robust: Robust | None  # None: it has no measures
    found: Estimate | Absent  # I in points, or I_sel
    outcome: Outcome | None  # None where it does not count, or is absent
    p: float | None = None  # of the verdict by itself
    adjusted: float | None = None

    @property
    def counts(self) -> bool:
        return self.outcome is not None


def judged(results: Results, question: Question) -> list[Judged]:
    """Every model that the question is about, in order."""
    return results.cached(f"judged in noise: {question}", lambda results: _judged(results, question))


def _judged(results: Results, question: Question) -> list[Judged]:
    from audioprune.statistics.holm import family

    every = [_alone(one, question) for one in robustness.every(results) if asks(question, _model(one))]
    p = family([one.p if one.counts else None for one in every])
    return [_adjusted(one, own) for one, own in zip(every, p, strict=True)]


def asks(question: Question, model: Model) -> bool:
    asked = model.method.split(".")[0] == TOPK and not model.with_noise
    return asked and model.shelf == (question == "misled")


def _model(one: Robust | tuple[Model, Absent]) -> Model:
    return one.model if isinstance(one, Robust) else one[0]


def _alone(one: Robust | tuple[Model, Absent], question: Question) -> Judged:
    if not isinstance(one, Robust):
        return Judged(one[0], None, one[1], None)
    found = one.interaction if question == "degrades" else one.selection
    if found is None:
        found = Absent("the study asks no random choice of as many tokens about noise")
    if isinstance(found, Absent) or not one.counted.known.learnt:
        return Judged(one.model, one, found, None)
    if question == "misled":
        outcome = noise_rule.misled(found, enough=one.counted.enough)
    else:
        logit = one.logit if isinstance(one.logit, Estimate) else None
        outcome = noise_rule.degrades(found, logit, enough=one.counted.enough)
    below = question == "degrades" and outcome.verdict == "refuted"
    p = found.chance(noise_rule.MARGIN, "below") if below else found.chance()
    return Judged(one.model, one, found, outcome, p)


def _adjusted(one: Judged, p: float | None) -> Judged:
    outcome = one.outcome
    if outcome is not None and outcome.verdict != "inconclusive" and p is not None and p > LEVEL:
        told = f"{outcome.verdict} by itself (p {one.p:.2g}), not when adjusted for all (p {p:.2g})"
        outcome = Outcome("inconclusive", told)
    return Judged(one.model, one.robust, one.found, outcome, one.p, p)
