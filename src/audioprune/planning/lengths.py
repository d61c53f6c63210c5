"""Which models a study asks about clips without padding."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from audioprune.cells.cell import Cell
from audioprune.config.design import Durations, Grid, Study
from audioprune.config.durations import asked
from audioprune.config.methods import methods_of
from audioprune.labels import label_of
from audioprune.planning.stages import Planner
from audioprune.settings.lengths import DurationsSettings
from audioprune.settings.model import Pruning


def durations(planner: Planner, study: Study, given: Durations) -> Iterator[Cell]:
    """A cell for each fine-tuning as it was trained, unpruned or by a method that is asked about, and for each method
    off the shelf."""
    for grid, backbone, dataset in asked(study, given):
        facts = planner.facts(dataset)
        if not facts.classes:
            continue
        folds, seeds = grid.folds or tuple(range(1, facts.folds + 1)), grid.seeds
        folds, seeds = folds[: 1 if given.runs == "first" else None], seeds[: None if given.runs == "all" else 1]
        for fold, seed, trained in product(folds, seeds, _trained(grid, given, backbone)):
            tuned = planner.finetune(study, grid, backbone, dataset, trained, fold, seed)
            shelf = _shelf(grid, given, backbone) if trained.method == "none" else []
            for pruning in (trained, *shelf):
                own = DurationsSettings(pruning=pruning, seconds=given.seconds, seed=given.seed)
                yield planner._of_finetuned("durations", f"durations-{label_of(pruning)}/{own.selection}", tuned, own)


def _trained(grid: Grid, given: Durations, backbone: str) -> list[Pruning]:
    """What a grid's models were trained with, each once."""
    wanted = methods_of(backbone, given.methods)
    found = [
        Pruning(method=method.name, keep_rate=rate, options=dict(method.options), blocks=grid.blocks)
        for method in methods_of(backbone, grid.methods)
        for rate in grid.keep_rates
        if rate == 1 or (rate in given.keep_rates and method in wanted)
    ]
    return [one for i, one in enumerate(found) if one not in found[:i]]


def _shelf(grid: Grid, given: Durations, backbone: str) -> list[Pruning]:
    return [
        Pruning(method=method.name, keep_rate=rate, options=dict(method.options), blocks=grid.blocks)
        for method in methods_of(backbone, given.off_the_shelf)
        for rate in given.off_the_shelf_rates
    ]
