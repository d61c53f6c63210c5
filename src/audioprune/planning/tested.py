"""The trained models that a further test of a study is about, with every pruning that it tests of each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from audioprune.cells.cell import Cell
from audioprune.config.asked import asked
from audioprune.config.design import Grid, Study
from audioprune.config.methods import methods_of
from audioprune.config.tested import Tested
from audioprune.planning.stages import Planner
from audioprune.settings.model import Pruning


def tested(planner: Planner, study: Study, given: Tested) -> Iterator[tuple[Cell, Pruning]]:
    """(fine-tuning, pruning): as it was trained, unpruned or by a method that is asked about, and off the shelf."""
    for grid, backbone, dataset, fold, seed in runs(planner, study, given):
        for trained in trained_with(grid, given, backbone):
            tuned = planner.finetune(study, grid, backbone, dataset, trained, fold, seed)
            shelf = off_the_shelf(grid, given, backbone) if trained.method == "none" else []
            yield from ((tuned, pruning) for pruning in (trained, *shelf))


def runs(planner: Planner, study: Study, given: Tested) -> Iterator[tuple[Grid, str, str, int, int]]:
    """(grid, backbone, dataset, fold, seed) of the models that are asked about."""
    for grid, backbone, dataset in asked(study, given):
        facts = planner.facts(dataset)
        if not facts.classes:
            continue
        folds, seeds = grid.folds or tuple(range(1, facts.folds + 1)), grid.seeds
        folds, seeds = folds[: 1 if given.runs == "first" else None], seeds[: None if given.runs == "all" else 1]
        yield from ((grid, backbone, dataset, fold, seed) for fold, seed in product(folds, seeds))


def trained_with(grid: Grid, given: Tested, backbone: str) -> list[Pruning]:
    """What a grid's models were trained with, each once."""
    wanted = methods_of(backbone, given.methods)
    found = [
        Pruning(method=method.name, keep_rate=rate, options=dict(method.options), blocks=grid.blocks)
        for method in methods_of(backbone, grid.methods)
        for rate in grid.keep_rates
        if rate == 1 or (rate in given.keep_rates and method in wanted)
    ]
    return [one for i, one in enumerate(found) if one not in found[:i]]


def off_the_shelf(grid: Grid, given: Tested, backbone: str) -> list[Pruning]:
    return [
        Pruning(method=method.name, keep_rate=rate, options=dict(method.options), blocks=grid.blocks)
        for method in methods_of(backbone, given.off_the_shelf)
        for rate in given.off_the_shelf_rates
    ]
