"""What pruned recognisers got wrong: word error rates of a study's transcripts, and their paired differences.

An arm is a cell of kind `transcribe`: a policy at a keep-rate, at some blocks, of the whole window or within the sound.
Errors are pooled over clips: all edits over all words. Speakers are what is drawn anew for intervals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audioprune.results.estimate import DRAWS, Absent, Estimate, combined
from audioprune.results.study import Result, Results

if TYPE_CHECKING:
    import pandas as pd

STATIC = ("stride", "pool")  # policies that look at nothing


@dataclass(frozen=True)
class Place:
    """What arms that are compared have in common; the unpruned arm belongs to every place of its recogniser."""

    recogniser: str
    dataset: str
    within: str
    blocks: tuple[int, ...]

    def __str__(self) -> str:
        where = "within the sound" if self.within == "sound" else "of the whole window"
        return f"{self.recogniser} on {self.dataset}: tokens {where}, block {', '.join(map(str, self.blocks))}"


def place_of(arm: Result) -> Place:
    own = arm.settings
    return Place(own.recogniser, own.dataset, own.within, own.blocks)


def places(arms: Iterable[Result]) -> dict[Place, list[Result]]:
    """Pruned arms by place, in the order of the study."""
    found: dict[Place, list[Result]] = {}
    for arm in arms:
        if arm.settings.policy != "none":
            found.setdefault(place_of(arm), []).append(arm)
    return found


def unpruned(arms: Iterable[Result], place: Place) -> Result | None:
    same = (one for one in arms if one.settings.policy == "none")
    return next(
        (one for one in same if (one.settings.recogniser, one.settings.dataset) == (place.recogniser, place.dataset)),
        None,
    )


def at(arms: Iterable[Result], policy: str, keep_rate: float) -> Result | None:
    """The arm of a policy at a keep-rate, among those of one place."""
    return next((one for one in arms if (one.settings.policy, one.settings.keep_rate) == (policy, keep_rate)), None)


def clips(arm: Result) -> pd.DataFrame:
    """One row for each clip, with the numerator and the denominator of its word error rate.

    What is drawn, exchanged and halved is speakers: clips of one are not independent, whatever they were cut from.
    """
    frame = arm.frame()
    speakers = frame["speaker"].where(frame["speaker"] != "", frame["recording"])
    return frame.assign(recording=speakers, numerator=frame["errors"], denominator=frame["words"])


def wer(results: Results, arm: Result | None) -> Estimate | Absent:
    """Word error rate in percent."""
    if arm is None or not arm.ok:
        return Absent("not planned" if arm is None else arm.why)
    return results.cached(f"wer {arm.path}", lambda results: _estimated(results, clips(arm), arm))


def difference(results: Results, first: Result | None, second: Result | None) -> Estimate | Absent:
    """Error rate of the first minus that of the second, in points."""
    both = [wer(results, one) for one in (first, second)]
    if missing := next((one for one in both if isinstance(one, Absent)), None):
        return missing
    return combined(*zip((1, -1), both, strict=True))  # type: ignore[arg-type]  # no Absent is left


def chance(first: pd.DataFrame, second: pd.DataFrame) -> float | Absent:
    """Two-sided p-value of no difference, by exact permutation of speakers; Absent where so few cannot be tested."""
    from audioprune.statistics.paired import permutation

    found = permutation(first, second, "ratio")
    return Absent(found.why) if found.p is None else found.p


def best_static(arms: Mapping[str, Result]) -> tuple[pd.DataFrame, dict[str, str]]:
    """The static policy with fewer errors on the one half of the speakers, on the clips of the other, and the reverse.

    arms {policy: cell} of one place and keep-rate -> (one row for each clip, {half: the policy chosen for it}).
    So no speaker takes part in choosing what he is judged by.
    """
    import pandas as pd

    frames = {policy: clips(arm) for policy, arm in arms.items()}
    speakers = sorted(
        set(next(iter(frames.values()))["recording"]), key=lambda one: hashlib.sha256(one.encode()).digest()
    )
    halves = {"first": set(speakers[: len(speakers) // 2]), "second": set(speakers[len(speakers) // 2 :])}
    other = {"first": "second", "second": "first"}
    parts, chosen = [], {}
    for half, own in halves.items():
        seen = {
            policy: frame[frame["recording"].isin(halves[other[half]])]["errors"].sum()
            for policy, frame in frames.items()
        }
        chosen[half] = min(seen, key=lambda policy: seen[policy])
        frame = frames[chosen[half]]
        parts.append(frame[frame["recording"].isin(own)])
    return pd.concat(parts).sort_index(), chosen


def against(results: Results, arm: Result, frame: pd.DataFrame) -> Estimate:
    """Error rate of an arm minus that of other transcripts of the same clips, in points."""
    own = wer(results, arm)
    assert isinstance(own, Estimate)
    return combined((1, own), (-1, _estimated(results, frame, arm)))


def _estimated(results: Results, frame: pd.DataFrame, arm: Result) -> Estimate:
    from audioprune.statistics.bootstrap import contrast, draw

    drawn = contrast((100, draw(frame, "ratio", draws=DRAWS)))
    return Estimate(drawn.value, drawn, len(frame), 1, 1, (arm.path,))
