"""Which models a study asks about clips without padding."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from audioprune.cells.cell import Cell
from audioprune.config.design import Study
from audioprune.config.robustness import asked
from audioprune.config.tested import Durations
from audioprune.labels import label_of
from audioprune.planning.robustness import off_the_shelf, trained_with
from audioprune.planning.stages import Planner
from audioprune.settings.lengths import DurationsSettings


def durations(planner: Planner, study: Study, given: Durations) -> Iterator[Cell]:
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
                own = DurationsSettings(pruning=pruning, seconds=given.seconds, seed=given.seed)
                yield planner._of_finetuned("durations", f"durations-{label_of(pruning)}/{own.selection}", tuned, own)
