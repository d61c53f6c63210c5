"""Accuracy on clips padded to a model's length and without padding, and what becomes of the padding.

Both modes are of the same clips in the same cells, so that their difference is paired clip by clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from audioprune.cells.query import value_of
from audioprune.labels import label_of, method_label
from audioprune.results.contrasts import of_planned
from audioprune.results.estimate import DRAWS, Absent, Estimate, combined
from audioprune.settings.lengths import Mode

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Result, Results

PADDED: Mode = "padded"
NATIVE: Mode = "native"


@dataclass(frozen=True)
class Asked:
    """One pruning of one model on clips of one length: its runs, by fold and seed."""

    backbone: str
    dataset: str
    method: str
    keep_rate: float
    trained: str  # another pruning in training, else empty
    seconds: float  # that clips are cut to; 0: as long as they are
    runs: tuple[Result, ...]

    @property
    def made(self) -> tuple[Result, ...]:
        return tuple(one for one in self.runs if one.ok)


@dataclass(frozen=True)
class Stage:
    """A selecting block: percent of the pure padding entering it that it prunes, and of all patches."""

    padding_pruned: float | None  # None where no padding enters
    pruned: float  # what chance would prune of the padding: 1 - K / n


@dataclass(frozen=True)
class Lengths:
    """What is known of it."""

    asked: Asked
    accuracy: dict[Mode, Estimate]
    difference: Estimate  # native minus padded, in points
    clips: int
    padding: float  # percent of the patches of padded clips that are pure padding
    macs: dict[Mode, float]  # mean over clips, in G
    stages: tuple[Stage, ...]  # of padded clips


def needs(study: Cells) -> list[Any]:
    return study.cells("durations")


def every(results: Results) -> list[Lengths | tuple[Asked, Absent]]:
    """One for each model, pruning and length, in the order of the study; why, where none of its runs is made."""
    return results.cached("lengths", lambda results: [_known(results, one) for one in asked(results)])


def asked(results: Results) -> list[Asked]:
    """In the order of the study."""
    groups: dict[tuple[tuple[str, str, str, float, str], float], list[Result]] = {}
    for one in results.cells("durations"):
        trained = one.inputs["finetune"].settings
        own = one.settings.pruning
        other = label_of(trained.pruning) if trained.pruning != own else ""
        where = value_of(one, "backbone"), value_of(one, "dataset"), method_label(own), own.keep_rate, other
        for seconds in one.settings.seconds or (0.0,):
            groups.setdefault((where, seconds), []).append(one)
    return [Asked(*where, seconds, tuple(runs)) for (where, seconds), runs in groups.items()]


def _known(results: Results, one: Asked) -> Lengths | tuple[Asked, Absent]:
    if not one.made:
        return one, Absent(one.runs[0].why)
    frame = _frame(one)
    modes = frame.groupby("mode")
    accuracy: dict[Mode, Estimate] = {mode: estimate(results, one, mode) for mode in (PADDED, NATIVE)}
    padded, native = accuracy[PADDED], accuracy[NATIVE]
    whole = modes.get_group(PADDED) if PADDED in modes.groups else frame
    left_out = of_planned(len(one.made), len(one.runs))
    return Lengths(
        one,
        accuracy,
        replace(combined((1, native), (-1, padded)), left_out=left_out),
        whole["clip"].nunique(),
        100 * float(whole["padding"].sum() / whole["patches"].sum()),
        {mode: float(own["macs"].mean() / 1e9) for mode, own in modes},
        stages(whole),
    )


def estimate(results: Results, one: Asked, mode: Mode) -> Estimate:
    """Mean over runs of the metric, in percent."""

    def make(results: Results) -> Estimate:
        from audioprune.statistics.bootstrap import contrast, draw, note
        from audioprune.statistics.metrics import metric_of
        from audioprune.statistics.units import unit_of

        facts = results.dataset(one.dataset)
        frame = _frame(one)
        frame = frame[frame["mode"] == mode].reset_index(drop=True)
        unit = unit_of(facts)
        drawn = contrast((100, draw(frame, facts.metric, unit=unit, draws=DRAWS, seed=0)))
        each = [100 * metric_of(run, facts.metric) for _, run in frame.groupby("run")]
        sizes = drawn.design.clips, len(each), drawn.design.seeds
        told = note(drawn.design.seeds, unit)
        return Estimate(sum(each) / len(each), drawn, *sizes, tuple(run.path for run in one.made), note=told)

    return results.cached(f"lengths {mode} {one.seconds} {' '.join(run.path for run in one.runs)}", make)


def _frame(one: Asked) -> pd.DataFrame:
    """Rows of all runs that are made, with their seed."""
    import pandas as pd

    parts = [run.frame().assign(seed=run.inputs["finetune"].settings.seed, run=i) for i, run in enumerate(one.made)]
    frame = pd.concat(parts, ignore_index=True)
    return frame[frame["seconds"] == one.seconds].reset_index(drop=True)


def stages(padded: pd.DataFrame) -> tuple[Stage, ...]:
    """Of padded clips, by selecting block; none of a model that keeps all, or merges."""
    import numpy as np

    left, padding = (np.stack(padded[name].tolist()).sum(axis=0) for name in ("left", "padding_left"))
    entering = [padded["patches"].sum(), *left[:-1]]
    padding_in = [padded["padding"].sum(), *padding[:-1]]
    return tuple(_stage(*one) for one in zip(entering, left, padding_in, padding, strict=False))


def _stage(entering: np.int64, left: np.int64, padding_in: np.int64, padding: np.int64) -> Stage:
    share = None if padding_in == 0 else 100 * float(1 - padding / padding_in)
    return Stage(share, 100 * float(1 - left / entering))


def of(found: Sequence[Lengths | tuple[Asked, Absent]]) -> list[Lengths]:
    """Those that are known."""
    return [one for one in found if isinstance(one, Lengths)]
