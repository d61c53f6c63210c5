"""The cells of a study's noise, and what its noise is made of."""

from __future__ import annotations

from collections.abc import Iterator

from audioprune.cells.cell import Cell
from audioprune.config.design import Study
from audioprune.config.tested import Robustness
from audioprune.planning.stages import Planner
from audioprune.planning.tested import tested
from audioprune.settings.evaluation import NoisySettings

OWN = ("kinds", "snrs", "t60s", "power", "draws", "seed", "talkers")  # of a cell, as the study has them


def disturbed(planner: Planner, study: Study, given: Robustness) -> Iterator[Cell]:
    for tuned, pruning in tested(planner, study, given):
        own = NoisySettings(pruning=pruning, **given.model_dump(include={*OWN}))
        yield planner.noisy(tuned, own, _sources(given, tuned.settings.dataset))


def _sources(given: Robustness, dataset: str) -> dict[str, str]:
    named = {kind: getattr(given, kind) for kind in ("babble", "environment") if kind in given.kinds}
    return {kind: name for kind, name in named.items() if name is not None and name != dataset}
