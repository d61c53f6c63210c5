"""Trained models on clean and disturbed clips: accuracy (or mAP) in each condition, in the draws of one bootstrap.

A condition is a kind of disturbance at one level; `CLEAN` is one, too. All conditions of a clip stay together in every
draw, draws of noise are averaged within a clip, and models on the same clips meet the same draws: every contrast is
paired, condition by condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audioprune.cells.query import as_trained, value_of
from audioprune.facts import noise
from audioprune.labels import method_label
from audioprune.results import competence
from audioprune.results.contrasts import of_planned
from audioprune.results.estimate import DRAWS, Absent, Estimate, combined
from audioprune.results.evaluations import variants
from audioprune.results.study import Result, Results

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.settings.training import FinetuneSettings
    from audioprune.statistics.bootstrap import Drawn

Condition = tuple[str, float]  # kind, level
Run = tuple[int, int]  # fold, seed
CLEAN: Condition = (noise.CLEAN, 0.0)


@dataclass(frozen=True)
class Model:
    """A trained model as it is evaluated: its folds and seeds, made or not."""

    backbone: str
    dataset: str
    variant: str  # other settings, where models of the study differ in them
    with_noise: bool  # heard noise in training
    method: str  # with options, of the evaluation
    keep_rate: float
    shelf: bool  # trained unpruned, pruned at evaluation only
    blocks: tuple[int, ...]
    cells: tuple[Result, ...]

    @property
    def tuned(self) -> FinetuneSettings:
        return self.cells[0].inputs["finetune"].settings

    @property
    def made(self) -> dict[Run, Result]:
        own = [(r.inputs["finetune"].settings, r) for r in self.cells if r.ok]
        return {(tuned.fold, tuned.seed): r for tuned, r in own}

    @property
    def why(self) -> str:
        return next((r.why for r in self.cells if not r.ok), "")

    @property
    def unpruned(self) -> bool:
        return self.method == "none"

    @property
    def conditions(self) -> list[Condition]:
        """All that it was asked about, by kind, the loudest noise last; the clean clips are not among them."""
        own = self.cells[0].settings
        asked = noise.conditions(own.kinds, own.snrs, own.t60s, 1)
        return [(one.kind, one.level) for one in asked]

    def __str__(self) -> str:
        how = f"{self.method} at {self.keep_rate:g}" + (", off the shelf" if self.shelf else "")
        return f"{self.heading}" + ("" if self.unpruned else f", {how}")

    @property
    def heading(self) -> str:
        """'ast-b on esc50, trained with noise': what it has in common with those that it is compared with."""
        variant = f" ({self.variant})" if self.variant else ""
        return f"{self.backbone} on {self.dataset}{variant}" + (", trained with noise" if self.with_noise else "")


def needs(study: Cells) -> list:
    """Models on disturbed clips, and their unpruned ones as they are evaluated: have they learnt enough?

    Those that were trained with noise stand beside them in one table, and are no part of any answer.
    """
    found = [c for c in study.cells("noisy") if not _with_noise(c)]
    asked = {competence.alike(c.inputs["finetune"].settings) for c in found}
    plain = [c for c in competence.needs(study) if competence.alike(c.inputs["finetune"].settings) in asked]
    return [*found, *plain]


def trained_with_noise(study: Cells) -> list:
    """Cells of models that heard noise in training."""
    return [c for c in study.cells("noisy") if _with_noise(c)]


def _with_noise(cell: Result) -> bool:
    return bool(cell.inputs["finetune"].settings.augment.waveform_noise)


def models(results: Results) -> list[Model]:
    """Those that were trained on clean clips, in the order of the study: of one backbone and dataset the unpruned one
    first, then trained ones, then others."""
    return [one for one in every(results) if not one.with_noise]


def every(results: Results) -> list[Model]:
    """The same, and after those of a backbone and dataset the models that were trained with noise."""
    return results.cached("models in noise", _every)


def _every(results: Results) -> list[Model]:
    cells = results.cells("noisy")
    heard = trained_with_noise(results)
    variant = variants([c for c in cells if c not in heard]) | variants(heard)
    found: dict[tuple[str, str, str, bool, str, float, bool, tuple[int, ...]], list[Result]] = {}
    for r in cells:
        tuned, pruning = r.inputs["finetune"].settings, r.settings.pruning
        shelf, blocks = not as_trained(r), tuple(pruning.blocks)
        own = (method_label(pruning), pruning.keep_rate, shelf, blocks if pruning.method != "none" else ())
        model = value_of(r, "backbone"), tuned.dataset, variant[r.path], _with_noise(r)
        found.setdefault((*model, *own), []).append(r)
    every = [Model(*key, tuple(own)) for key, own in found.items()]
    first = {one: i for i, one in reversed([*enumerate(_place(one)[:3] for one in every)])}
    return sorted(every, key=lambda one: (first[_place(one)[:3]], one.with_noise, not one.unpruned, one.shelf))


def _place(model: Model) -> tuple[str, str, str, bool]:
    return model.backbone, model.dataset, model.variant, model.with_noise


def unpruned(results: Results, model: Model) -> Model | None:
    """The unpruned model that was trained like it."""
    return next((one for one in every(results) if one.unpruned and _place(one) == _place(model)), None)


def beside(results: Results, model: Model, method: str) -> Model | None:
    """The same weights pruned by another method at the same blocks, to as many tokens."""
    wanted = (_place(model), method, model.keep_rate, model.shelf, model.blocks)
    return next((o for o in every(results) if (_place(o), o.method, o.keep_rate, o.shelf, o.blocks) == wanted), None)


def shared(*sides: Model | None) -> list[Run] | Absent:
    """Folds and seeds that all models have."""
    there = [one for one in sides if one is not None]
    if len(there) < len(sides):
        return Absent("the study asks no such model about noise")
    if nothing := next((one for one in there if not one.made), None):
        return Absent(nothing.why)
    runs = set.intersection(*(set(one.made) for one in there))
    return sorted(runs) or Absent("they have no fold and seed in common")


def left_out(runs: Sequence[Run], *sides: Model) -> str:
    return of_planned(len(runs), max(len(one.cells) for one in sides))


def accuracy(results: Results, model: Model, runs: Sequence[Run], wanted: Iterable[Condition]) -> Estimate:
    """Mean accuracy (or mAP) over some conditions, in percent: a mean over runs, the draws of the pooled clips."""
    wanted = tuple(wanted)
    paths = tuple(model.made[run].path for run in runs)
    name = f"accuracy in noise {' '.join(paths)} {wanted}"
    return results.cached(name, lambda results: _accuracy(results, model, runs, paths, wanted), of=paths)


def _accuracy(
    results: Results, model: Model, runs: Sequence[Run], paths: tuple[str, ...], wanted: tuple[Condition, ...]
) -> Estimate:
    from audioprune.statistics.bootstrap import note
    from audioprune.statistics.units import unit_of

    facts = results.dataset(model.dataset)
    if facts.metric == "map":
        found = [_of_scores(results, model, runs, one) for one in wanted]
        return combined(*((1 / len(found), one) for one in found))
    right = _right(results, paths)
    columns = [right.conditions.index(one) for one in wanted]
    by_run = [own[:, columns].mean() for own in right.by_run]
    drawn = _mean(right, columns)
    told = note(drawn.design.seeds, unit_of(facts))
    sizes = drawn.design.clips, len(runs), drawn.design.seeds
    return Estimate(100 * float(sum(by_run) / len(by_run)), drawn, *sizes, paths, note=told)


# --- accuracy: all conditions of a model in one drawing ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Right:
    """How often each clip is right in each condition: N clips of all runs, C conditions."""

    clips: pd.DataFrame  # (N,) clip, recording, speaker, labels, seed
    values: np.ndarray  # (N, C) from 0 to 1: a mean over draws of noise
    conditions: list[Condition]
    by_run: list[np.ndarray]  # each (n, C)
    sums: np.ndarray  # (D, C + 1) over the clips of a draw; the last column counts them
    design: object


def right(results: Results, model: Model, runs: Sequence[Run]) -> Right:
    """Of accuracies alone."""
    return _right(results, tuple(model.made[run].path for run in runs))


def _right(results: Results, paths: tuple[str, ...]) -> Right:
    return results.cached(f"right in noise {' '.join(paths)}", lambda results: _read(results, paths), of=paths)


def _read(results: Results, paths: tuple[str, ...]) -> Right:
    import numpy as np
    import pandas as pd

    from audioprune.statistics.sums import draw_sums
    from audioprune.statistics.units import unit_of

    clips, by_run, conditions = [], [], None
    for path in paths:
        cell = results.cell(path)
        tuned = cell.inputs["finetune"].settings
        own, values, conditions = _by_clip(frame(cell))
        clips.append(own.assign(seed=tuned.seed))
        by_run.append(values)
    assert conditions is not None, "an accuracy of some runs"
    whole, values = pd.concat(clips, ignore_index=True), np.concatenate(by_run)
    unit = unit_of(results.dataset(tuned.dataset))
    columns = np.concatenate([values, np.ones((len(values), 1))], axis=1)
    found = draw_sums(whole, columns, unit=unit, draws=DRAWS, seed=0)
    return Right(whole, values, conditions, by_run, found.draws, found.design)


def frame(cell: Result) -> pd.DataFrame:
    """noisy.parquet, clean clips at level 0 so that they are a condition like all others."""
    found = cell.frame()
    return found.assign(level=found["level"].where(found["kind"] != noise.CLEAN, CLEAN[1]))


def _by_clip(found: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, list[Condition]]:
    from audioprune.statistics.measures import correct

    table = found.assign(right=correct(found)).pivot_table(
        index="clip", columns=["kind", "level"], values="right", aggfunc="mean"
    )
    clean = found[found["kind"] == noise.CLEAN][["clip", "recording", "speaker", "labels"]].set_index("clip")
    return clean.loc[table.index].reset_index(), table.to_numpy(), [(str(k), float(v)) for k, v in table.columns]


def _mean(right: Right, columns: Sequence[int]) -> Drawn:
    from audioprune.statistics.bootstrap import Drawn

    value = 100 * float(right.values[:, columns].mean())
    draws = 100 * right.sums[:, columns].mean(axis=1) / right.sums[:, -1]
    return Drawn(value, draws, right.design, (100.0,))  # type: ignore[arg-type]


# --- mAP: a drawing for each condition and draw of noise --------------------------------------------------------------


def _of_scores(results: Results, model: Model, runs: Sequence[Run], wanted: Condition) -> Estimate:
    import numpy as np
    import pandas as pd

    from audioprune.statistics.bootstrap import contrast, draw, note
    from audioprune.statistics.metrics import metric_of
    from audioprune.statistics.units import unit_of

    unit = unit_of(results.dataset(model.dataset))
    parts = []
    for run in runs:
        found = frame(model.made[run])
        parts.append(
            found[(found["kind"] == wanted[0]) & (found["level"] == wanted[1])].assign(seed=run[1], run=str(run))
        )
    whole = pd.concat(parts, ignore_index=True)
    values = [metric_of(own, "map") for _, own in whole.groupby(["run", "draw"])]
    each = [draw(own.reset_index(drop=True), "map", unit=unit, draws=DRAWS, seed=0) for _, own in whole.groupby("draw")]
    pooled = contrast(*((100 / len(each), one) for one in each))
    sizes = pooled.design.clips, len(runs), pooled.design.seeds
    paths = tuple(model.made[run].path for run in runs)
    return Estimate(100 * float(np.mean(values)), pooled, *sizes, paths, note=note(pooled.design.seeds, unit))
