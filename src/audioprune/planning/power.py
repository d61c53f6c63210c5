"""How wide the intervals of a study's contrasts will be, said before its time is spent.

n clips, S seeds, d the share of clips that one side gets right and the other wrong (discordance). With clips and seeds
that vary on their own, the 95 % interval that the report will show (statistics.intervals) of a difference near zero is

    +- 1.96 sqrt(n d / S + 3 r^2) / (n + 3)

with r^2 = 1 of two models, and 2 of the four terms of an interaction. Seeds that err on the same clips narrow it less.
d is what records of the study's own evaluations show; where there are none, 6 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from audioprune.cells import contrasts
from audioprune.cells.query import as_trained, value_of
from audioprune.labels import label_of

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.cell import Cell
    from audioprune.planning.study import StudyPlan

PREDICTIONS = "predictions.parquet"  # of an evaluation
ASSUMED = 0.06  # ASSUME: discordant clips of two models of a kind
TWO_SIDED = NormalDist().inv_cdf(0.975)
DROP, DECLARED, LENGTH, NOISE = "drop", "fixed beforehand", "native − padded", "drop in noise − drop"
Run = tuple[int, int]  # fold, seed
Side = dict[Run, "Cell"]


@dataclass(frozen=True)
class Expected:
    """A contrast of two prunings of a backbone on a dataset."""

    kind: str
    backbone: str
    dataset: str
    contrast: str
    clips: int
    seeds: int
    discordance: float
    measured: bool

    @property
    def half_width(self) -> float:
        """In points."""
        return half_width(self.clips, self.seeds, self.discordance, terms=4 if self.kind == NOISE else 2)


def half_width(clips: int, seeds: int, discordance: float, *, terms: int = 2) -> float:
    """Of the 95 % interval of a difference near zero, in points."""
    return 100 * TWO_SIDED * sqrt(clips * discordance / seeds + 3 * terms / 2) / (clips + 3)


def expected(plan: StudyPlan, made: Callable[[Cell], bool]) -> list[Expected]:
    """Of every contrast of accuracies whose number of test clips is known; made: whether a cell is on disk, whole."""
    return list(dict.fromkeys((*_drops(plan, made), *_declared(plan, made), *_others(plan))))


def _drops(plan: StudyPlan, made: Callable[[Cell], bool]) -> Iterator[Expected]:
    """Every trained pruning against the unpruned model."""
    sides: dict[tuple, dict[str, Side]] = {}
    for cell in plan.cells("evaluate", selection="last", perturbation="none"):
        tuned = cell.inputs["finetune"].settings
        if as_trained(cell):
            recipe = tuned.model, tuned.dataset, tuned.recipe, tuned.split, tuned.initial
            run = tuned.fold, tuned.seed
            sides.setdefault(recipe, {}).setdefault(label_of(cell.settings.pruning), {})[run] = cell
    for own in sides.values():
        base = own.get("none-kr1")
        for label, side in own.items():
            if base is not None and side is not base:
                yield from _of(plan, DROP, f"unpruned − {label}", base, side, made)


def _declared(plan: StudyPlan, made: Callable[[Cell], bool]) -> Iterator[Expected]:
    for one in plan.contrasts:
        first, second = (_by_run(contrasts.evaluations(plan, one, side)) for side in (one.first, one.second))
        if first and second:
            yield from _of(plan, DECLARED, f"{label_of(one.first)} − {label_of(one.second)}", first, second, made)


def _others(plan: StudyPlan) -> Iterator[Expected]:
    """What padding does, and what noise does beyond what it does to the unpruned model."""
    for kind, name in ((LENGTH, "durations"), (NOISE, "noisy")):
        sides: dict[tuple[str, str, str], Side] = {}
        for cell in plan.cells(name):
            pruning = cell.settings.pruning
            if name == "durations" or pruning.method != "none":
                where = str(value_of(cell, "backbone")), str(value_of(cell, "dataset")), label_of(pruning)
                sides.setdefault(where, {}).update(_by_run([cell]))
        for (_, _, label), side in sides.items():
            yield from _of(plan, kind, label, side, side, lambda _: False)


def _by_run(cells: Iterable[Cell]) -> Side:
    return {(c.inputs["finetune"].settings.fold, c.inputs["finetune"].settings.seed): c for c in cells}


def _of(
    plan: StudyPlan, kind: str, words: str, first: Side, second: Side, made: Callable[[Cell], bool]
) -> Iterator[Expected]:
    """Nothing where both sides share no run, the clips are not known beforehand, or the metric counts no clips."""
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return
    one = first[shared[0]]
    backbone, dataset = str(value_of(one, "backbone")), str(value_of(one, "dataset"))
    facts = plan.dataset(dataset)
    clips = facts.test_clips * len({fold for fold, _ in shared})
    if facts.metric != "top1" or not clips:
        return
    pairs = [(first[run], second[run]) for run in shared]
    there = [pair for pair in pairs if all(made(cell) and (cell.dir / PREDICTIONS).is_file() for cell in pair)]
    share = sum(discordance(a, b) for a, b in there) / len(there) if there else ASSUMED
    seeds = len({seed for _, seed in shared})
    yield Expected(kind, backbone, dataset, words, clips, seeds, share, bool(there))


def discordance(first: Cell, second: Cell) -> float:
    """Share of the clips of two evaluations that one gets right and the other wrong."""
    sides = [_right(cell).rename(name) for cell, name in ((first, "first"), (second, "second"))]
    both = sides[0].to_frame().join(sides[1], how="inner")
    return float((both["first"] != both["second"]).mean())


def _right(cell: Cell) -> pd.Series:
    import pandas as pd

    frame = pd.read_parquet(cell.dir / PREDICTIONS, columns=["clip", "labels", "scores"])
    right = [int(s.argmax()) in {*map(int, own)} for s, own in zip(frame["scores"], frame["labels"], strict=True)]
    return pd.Series(right, index=frame["clip"])


def told(found: list[Expected]) -> list[list[Any]]:
    """Rows for people: kind, backbone, dataset, contrasts, clips, seeds, discordance, half-width. Contrasts that differ
    in nothing else share a row."""
    rows: dict[tuple, list[str]] = {}
    for one in found:
        share = f"{100 * one.discordance:.1f} %" + ("" if one.measured else " assumed")
        key = one.kind, one.backbone, one.dataset, one.clips, one.seeds, share, f"± {one.half_width:.1f}"
        rows.setdefault(key, []).append(one.contrast)
    return [[*key[:3], _few(words), *key[3:]] for key, words in rows.items()]


def _few(words: list[str]) -> str:
    return ", ".join(words) if len(words) < 3 else f"{len(words)} contrasts"
