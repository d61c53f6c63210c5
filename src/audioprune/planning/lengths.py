"""The cells of a study's clips without padding."""

from __future__ import annotations

from collections.abc import Iterator

from audioprune.cells.cell import Cell
from audioprune.config.design import Study
from audioprune.config.tested import Durations
from audioprune.planning.stages import Planner
from audioprune.planning.tested import tested
from audioprune.settings.lengths import DurationsSettings


def durations(planner: Planner, study: Study, given: Durations) -> Iterator[Cell]:
    for tuned, pruning in tested(planner, study, given):
        own = DurationsSettings(pruning=pruning, seconds=given.seconds, seed=given.seed)
        yield planner.durations(tuned, own)
