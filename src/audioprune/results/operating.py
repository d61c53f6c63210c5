"""Where a classifier is fastest on clips of their own lengths without losing accuracy: a batching and a keep-rate.

A point's accuracy is that of the clips as its batching gives them to the model: padded to the model's length, or, one
clip at a time, in buckets and packed, without padding. Clips padded to the longest of a random batch have no accuracy
of their own, so that `longest` is no point. Chosen is the fastest point of which the data exclude, one-sided at 95 %,
that it loses a point against the unpruned model on padded clips; noise has no part in that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audioprune.results import lengths, paces
from audioprune.results.estimate import Absent, Estimate, combined
from audioprune.results.lengths import NATIVE, PADDED, Asked
from audioprune.results.paces import BASELINE
from audioprune.settings.lengths import Mode

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.profiling.batchings import Arm
    from audioprune.results.study import Result, Results

MARGIN = 1.0  # points
MODES: dict[str, Mode] = {"padded": PADDED, "single": NATIVE, "bucketed": NATIVE, "packed": NATIVE}


@dataclass(frozen=True)
class Point:
    """One way to batch, one pruning, as the model was trained with it."""

    arm: Arm
    speed: Estimate  # seconds of sound a second
    accuracy: Estimate  # percent, of clean clips
    drop: Estimate  # points lost against the unpruned model on padded clips

    @property
    def keeps(self) -> bool:
        """Whether a loss of a point is excluded; the baseline loses nothing."""
        return self.arm == BASELINE or self.drop.bounds[1] < MARGIN


@dataclass(frozen=True)
class Operating:
    """All points of a backbone on a dataset, on one device."""

    backbone: str
    dataset: str
    device: str
    points: tuple[Point, ...]

    @property
    def chosen(self) -> Point | Absent:
        return fastest(self.points)


def needs(study: Cells) -> list[Any]:
    """Timed classifiers, and the same ones on padded and native clips of natural length."""
    timed = [cell for cell in study.cells("pace") if cell.settings.backbone]
    places = {(cell.settings.backbone, cell.settings.dataset) for cell in timed}
    found = [cell for cell in lengths.needs(study) if not cell.settings.seconds]
    about = [cell.inputs["finetune"].settings for cell in found]
    return [*timed, *(c for c, own in zip(found, about, strict=True) if (own.model.backbone, own.dataset) in places)]


def every(results: Results) -> list[Operating]:
    """Of each timed classifier whose accuracies are known; none where a side is missing."""
    return results.cached("operating points", _every)


def _every(results: Results) -> list[Operating]:
    found = []
    for timing in results.cells("pace"):
        own = timing.settings
        if own.backbone and timing.ok:
            points = _points(results, timing)
            if points:
                found.append(Operating(own.backbone, own.dataset, own.device, tuple(points)))
    return found


def _points(results: Results, timing: Result) -> list[Point]:
    own = timing.settings
    asked = {
        (one.method, one.keep_rate): one
        for one in lengths.asked(results)
        if (one.backbone, one.dataset, one.trained, one.seconds) == (own.backbone, own.dataset, "", 0.0) and one.made
    }
    plain = asked.get(BASELINE[1:])
    if plain is None:
        return []
    found = []
    for paced in paces.paces(timing):
        arm, one = paced.arm, asked.get(paced.arm[1:])
        speed, mode = paced.timed["audio_per_s"], MODES.get(paced.arm.batching)
        if one is not None and mode is not None and isinstance(speed, Estimate):
            found.append(_point(results, arm, speed, (plain, one), mode))
    return found


def _point(results: Results, arm: Arm, speed: Estimate, sides: tuple[Asked, Asked], mode: Mode) -> Point:
    base, accuracy = lengths.estimate(results, sides[0], PADDED), lengths.estimate(results, sides[1], mode)
    return Point(arm, speed, accuracy, combined((1, base), (-1, accuracy)))


def fastest(points: Sequence[Point]) -> Point | Absent:
    """Of those that keep accuracy; of equally fast ones that which keeps more tokens."""
    keeping: Iterable[Point] = (point for point in points if point.keeps)
    found = max(keeping, key=lambda point: (point.speed.value, point.arm.keep_rate), default=None)
    return found or Absent(f"of no point is a loss of {MARGIN:g} point excluded")
