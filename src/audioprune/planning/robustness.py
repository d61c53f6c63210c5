"""Which models a study asks about noise, and what its noise is made of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from audioprune.cells.cell import Cell
from audioprune.config.design import Grid, Study
from audioprune.config.methods import methods_of
from audioprune.config.robustness import asked
from audioprune.config.tested import Durations, Robustness
from audioprune.planning.stages import Planner
from audioprune.settings.evaluation import NoisySettings
from audioprune.settings.model import Pruning

OWN = ("kinds", "snrs", "t60s", "power", "draws", "seed", "talkers")  # of a cell, as the study has them


def disturbed(planner: Planner, study: Study, given: Robustness) -> Iterator[Cell]:
    """A cell for each fine-tuning as it was trained, unpruned or by a method that is asked about, and for each method
    off the shelf."""
    for grid, backbone, dataset in asked(study, given):
        facts = planner.facts(dataset)
        if not facts.classes:
            continue
        folds, seeds = grid.folds or tuple(range(1, facts.folds + 1)), grid.seeds
        folds, seeds = folds[: 1 if given.runs == "first" else None], seeds[: None if given.runs == "all" else 1]
        for fold, seed, trained in product(folds, seeds, trained_with(grid, given, backbone)):
            tuned = planner.finetune(study, grid, backbone, dataset, trained, fold, seed)
            shelf = off_the_shelf(grid, given, backbone) if trained.method == "none" else []
            for pruning in (trained, *shelf):
                own = NoisySettings(pruning=pruning, **given.model_dump(include={*OWN}))
                yield planner.noisy(tuned, own, _sources(given, dataset))


def trained_with(grid: Grid, given: Robustness | Durations, backbone: str) -> list[Pruning]:
    """What a grid's models were trained with, each once."""
    wanted = methods_of(backbone, given.methods)
    found = [
        Pruning(method=method.name, keep_rate=rate, options=dict(method.options), blocks=grid.blocks)
        for method in methods_of(backbone, grid.methods)
        for rate in grid.keep_rates
        if rate == 1 or (rate in given.keep_rates and method in wanted)
    ]
    return [one for i, one in enumerate(found) if one not in found[:i]]


def off_the_shelf(grid: Grid, given: Robustness | Durations, backbone: str) -> list[Pruning]:
    return [
        Pruning(method=method.name, keep_rate=rate, options=dict(method.options), blocks=grid.blocks)
        for method in methods_of(backbone, given.off_the_shelf)
        for rate in given.off_the_shelf_rates
    ]


def _sources(given: Robustness, dataset: str) -> dict[str, str]:
    named = {kind: getattr(given, kind) for kind in ("babble", "environment") if kind in given.kinds}
    return {kind: name for kind, name in named.items() if name is not None and name != dataset}
