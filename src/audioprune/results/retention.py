"""Ranking against uniform retention, in word error rate: the three questions of research question 1.

which     at the same number of tokens at the same blocks: a policy that looks at its tokens, minus the best that does
          not
how many  on the same weights, at the same cost on average: a number of tokens that varies by clip, minus a fixed
          share
savings   the share of MACs saved at an error rate a tenth above the unpruned one: topk's, minus the largest of any
          uniform policy's, a lower frame rate from the start among them

What counts for a verdict was fixed beforehand (COUNTED); all else stands beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from audioprune.facts.recogniser import POOLED, THRESHOLDS
from audioprune.results import recognitions
from audioprune.results.estimate import Absent, Estimate, of_draws
from audioprune.results.recognitions import ADAPTED, OFF_THE_SHELF, STATIC, Arm, Place
from audioprune.results.speech_costs import remaining, unmatched
from audioprune.results.speech_rule import Chance, Outcome, margin, outcome, settling

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from audioprune.results.study import Results

PRIMARY = "topk"
DYNAMIC = THRESHOLDS  # policies that look at what they keep
UNIFORM = (*STATIC, POOLED)
COARSER = "coarser strips"
ALLOWED = 1.1  # times the unpruned error rate
Question = Literal["which", "how many", "savings"]


def counted(place: Place, keep_rate: float) -> bool:
    """Whether a comparison there decides a verdict.

    Whisper off the shelf, one early block, within the sound, at half and a quarter of its tokens; what has a CTC head,
    adapted, at 0.7 and 0.5.
    """
    if place.within:
        return (place.trained, place.within, place.blocks) == (OFF_THE_SHELF, "sound", (2,)) and keep_rate in (
            0.5,
            0.25,
        )
    return place.trained == ADAPTED and keep_rate in (0.7, 0.5)


@dataclass(frozen=True)
class Compared:
    """One comparison, and what follows from it."""

    question: Question
    place: Place
    policy: str
    keep_rate: float | None  # None of savings, which are of all keep-rates
    against: str
    counts: bool
    found: Estimate | Absent  # points of word error rate; of savings, points of MACs
    without: Estimate | Absent | None = None  # the same over clips that ran away in neither
    margin: float | None = None
    p: Chance | None = None  # by permutation of speakers; of savings by the draws
    untested: str = ""  # why there is no p
    sentences: float | str | None = None  # p of matched pairs of sentences, or why there is none
    improvement: float | None = None  # share of draws in which the first has fewer errors
    unmatched: str = ""  # why two budgets cannot be compared
    sides: tuple[Estimate, Estimate] | None = None  # of savings: of the policy, and of the best uniform one
    censored: tuple[bool, bool] = (False, False)  # of savings: whether more may be possible
    words: int = 0

    @property
    def outcome(self) -> Outcome | None:
        """None where there is nothing to judge."""
        if isinstance(self.found, Absent) or self.unmatched or self.p is None:
            return None
        if self.question == "savings":
            return self._of_savings(self.found)
        assert self.margin is not None
        made = outcome(self.found.low, self.found.high, self.margin, self.p)
        if made.verdict != "inconclusive" or made.told:
            return made
        return replace_told(made, settling(self.found, self.margin, self.words))

    def _of_savings(self, found: Estimate) -> Outcome:
        """More is better, unlike of an error rate. What may be more on one side decides nothing for the other."""
        assert self.p is not None
        made = outcome(-found.high, -found.low, 0.0, self.p)
        own, other = self.censored
        if (made.verdict == "supported" and other) or (made.verdict == "refuted" and own):
            side = self.against if other else self.policy
            return Outcome("inconclusive", f"{side} passes the limit at no keep-rate that was run, and may save more")
        return Outcome(made.verdict, "nothing was saved differently in any draw") if found.low == found.high else made


def replace_told(made: Outcome, told: str) -> Outcome:
    return Outcome(made.verdict, told)


def compared(results: Results) -> list[Compared]:
    """Every comparison that the study's arms allow, with p-values adjusted for those that count, by test set."""
    return results.cached("retention", _compared)


def _compared(results: Results) -> list[Compared]:
    every = recognitions.arms(results)
    found: list[Compared] = []
    for place, own in recognitions.places(every).items():
        base = recognitions.unpruned(every, place)
        found += _which(results, place, own, base)
        found += _how_many(results, place, own, base)
        found += _savings(results, place, own, base, recognitions.coarser(every, place))
    return _adjusted(found)


def _adjusted(found: list[Compared]) -> list[Compared]:
    """Holm over what counts of one question on one test set."""
    from audioprune.statistics.holm import family

    groups: dict[tuple, list[int]] = {}
    for i, one in enumerate(found):
        if one.counts and one.p is not None and not one.unmatched:
            groups.setdefault((one.question, one.place.dataset), []).append(i)
    made = [*found]
    for places in groups.values():
        alone = [found[i].p.alone for i in places]  # type: ignore[union-attr]  # those without one are left out
        tests = sum(p is not None for p in alone)
        for i, p in zip(places, family(alone), strict=True):
            made[i] = replace(found[i], p=found[i].p._replace(adjusted=p, tests=tests))  # type: ignore[union-attr]
    return made


# --- which tokens, and how many ------------------------------------------------------------------------------------


def _which(results: Results, place: Place, own: Sequence[Arm], base: Arm | None) -> Iterator[Compared]:
    fixed = [one for one in own if one.budget == "fixed" and one.policy not in UNIFORM]
    for arm in fixed:
        static = [one for name in STATIC if (one := recognitions.at(own, name, arm.keep_rate))]
        counts = arm.policy == PRIMARY and counted(place, arm.keep_rate)
        blank = Compared(
            "which", place, arm.policy, arm.keep_rate, " or ".join(a.policy for a in static), counts, Absent("")
        )
        there = {one.policy: one for one in static if one.made}
        if not static:
            yield replace(blank, found=Absent("no static policy is planned beside it"))
        elif missing := next((one.why for one in (arm, *static) if not one.made), ""):
            yield replace(blank, found=Absent(missing))
        else:
            frame, chosen = recognitions.best_static(results, there)
            yield _judged(
                results, replace(blank, against=recognitions.said_of(chosen)), arm, frame, base, *there.values()
            )


def _how_many(results: Results, place: Place, own: Sequence[Arm], base: Arm | None) -> Iterator[Compared]:
    for arm in (one for one in own if one.budget == "threshold"):
        fixed = recognitions.at(own, arm.policy, arm.keep_rate)
        counts = arm.policy == PRIMARY and counted(place, arm.keep_rate)
        blank = Compared("how many", place, arm.policy, arm.keep_rate, "a fixed share", counts, Absent(""))
        if fixed is None:
            yield replace(blank, found=Absent("no fixed budget is planned beside it"))
        elif missing := next((one.why for one in (arm, fixed, *filter(None, [base])) if not one.made), ""):
            yield replace(blank, found=Absent(missing))
        else:
            found = _judged(results, blank, arm, recognitions.clips(results, fixed), base, fixed)
            yield replace(found, unmatched=unmatched(results, arm, fixed, base))


def _judged(results: Results, blank: Compared, arm: Arm, other: pd.DataFrame, base: Arm | None, *of: Arm) -> Compared:
    """A comparison of an arm with other transcripts of the same clips."""
    from audioprune.statistics.matched_pairs import matched_pairs
    from audioprune.statistics.paired import permutation

    own, other = recognitions.paired(recognitions.clips(results, arm), other)
    found = recognitions.against(results, arm, other, *of)
    exchanged = permutation(own, other, "ratio", unit=recognitions.unit(results, arm.place))
    errors = own.groupby("clip")["errors"].mean() - other.groupby("clip")["errors"].mean()
    sentences = matched_pairs(errors.tolist())
    calm = recognitions.without_runaways(own, other)
    unpruned = recognitions.wer(results, base)
    return replace(
        blank,
        found=found,
        without=recognitions.between(results, *calm, arm, *of) if calm[0]["words"].sum() else None,
        margin=margin(unpruned.value) if isinstance(unpruned, Estimate) else None,
        p=None if isinstance(unpruned, Absent) else Chance(exchanged.p, exchanged.p),
        untested=exchanged.why,
        sentences=sentences.why or sentences.p,
        improvement=_improvement(found),
        words=int(own["words"].sum() / own["seed"].nunique()),
    )


def _improvement(found: Estimate) -> float | None:
    """Probability of improvement (Bisani and Ney 2004): the share of draws in which the first has fewer errors."""
    return None if found.drawn is None else float((found.draws < 0).mean())


# --- savings -------------------------------------------------------------------------------------------------------


def _savings(
    results: Results, place: Place, own: Sequence[Arm], base: Arm | None, longer: Sequence[Arm]
) -> Iterator[Compared]:
    curves = {
        policy: [one for one in own if (one.policy, one.budget) == (policy, "fixed")]
        for policy in dict.fromkeys(one.policy for one in own)
    }
    curves[COARSER] = [*longer]
    uniform = {name: curves[name] for name in (*UNIFORM, COARSER) if curves.get(name)}
    for policy in (name for name in DYNAMIC if curves.get(name)):
        rates = [one.keep_rate for one in curves[policy]]
        counts = policy == PRIMARY and any(counted(place, rate) for rate in rates)
        blank = Compared("savings", place, policy, None, " or ".join(uniform), counts, Absent(""))
        everything = [base, *curves[policy], *(one for arms in uniform.values() for one in arms)]
        missing = [
            one.why if one else "no unpruned transcripts are planned" for one in everything if not one or not one.made
        ]
        if missing or not uniform:
            yield replace(blank, found=Absent(missing[0] if missing else "no uniform policy is planned beside it"))
            continue
        yield _saved(results, blank, base, curves[policy], uniform)  # type: ignore[arg-type]  # no base is missing


def _saved(results: Results, blank: Compared, base: Arm, own: list[Arm], uniform: dict[str, list[Arm]]) -> Compared:
    """The policy's saving minus the largest of a uniform one, which is chosen anew in every draw."""
    import numpy as np

    every = [base, *own, *(one for arms in uniform.values() for one in arms)]
    frames = dict(zip(map(id, every), recognitions.shared_seeds([recognitions.clips(results, one) for one in every])))
    whole = frames[id(base)]
    point = partial(_point, results, frames, whole, blank.place)
    like = recognitions.rate(results, whole, *every)
    if like.drawn is None:
        return replace(blank, found=Absent("of one speaker nothing is drawn"))
    limit = ALLOWED * _both(like)
    read = {
        name: _read([point(base), *map(point, arms)], limit) for name, arms in {blank.policy: own, **uniform}.items()
    }
    first, others = read[blank.policy], {name: read[name] for name in uniform}
    best = np.max([saved for saved, _ in others.values()], axis=0)  # (1 + D,)
    name = max(others, key=lambda one: others[one][0][0])
    sides = tuple(of_draws(float(100 * one[0]), 100 * one[1:], like) for one in (first[0], best))
    found = of_draws(float(100 * (first[0][0] - best[0])), 100 * (first[0] - best)[1:], like)
    return replace(
        blank,
        found=found,
        against=name,
        sides=sides,  # type: ignore[arg-type]  # two of them
        p=Chance(found.chance(), found.chance()),
        improvement=float((found.draws > 0).mean()),
        censored=(bool(first[1][0]), bool(others[name][1][0])),
        words=int(whole["words"].sum() / whole["seed"].nunique()),
    )


def _both(found: Estimate) -> np.ndarray:
    """(1 + D,): the value, and every draw."""
    import numpy as np

    return np.array([found.value, *found.draws])


def _point(
    results: Results, frames: dict[int, pd.DataFrame], whole: pd.DataFrame, place: Place, arm: Arm
) -> tuple[np.ndarray, np.ndarray]:
    """Cost as a share of the unpruned model's, and error rate, (1 + D,) each."""
    import numpy as np

    frame = frames[id(arm)]
    cost = remaining(results, frame, whole, place)
    return np.array([cost.value, *cost.draws]) / 100, _both(recognitions.rate(results, frame, arm))


def _read(points: list[tuple[np.ndarray, np.ndarray]], limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    from audioprune.statistics.saving import saving

    costs, errors = (np.stack(one) for one in zip(*points, strict=True))
    return saving(costs, errors, limit)
