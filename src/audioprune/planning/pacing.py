"""Which recognisers a study times on clips of their own lengths, and how such a cell is made up."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from audioprune import registry
from audioprune.cells.cell import Cell
from audioprune.config import Pace, Study
from audioprune.facts.recogniser import RECOGNISERS
from audioprune.planning.stages import Planner, plain, timing_device
from audioprune.settings import PaceSettings


def paced(planner: Planner, study: Study) -> Iterator[Cell]:
    """One cell for each recogniser on each of its datasets, whatever its policies elsewhere."""
    pace = study.pace
    if pace is None:
        return
    pairs = [pair for one in study.recognitions for pair in product(one.recognisers, one.datasets)]
    for recogniser, dataset in dict.fromkeys(pairs):
        if recogniser in (pace.recognisers or (recogniser,)) and dataset in (pace.datasets or (dataset,)):
            yield _cell(planner, pace, recogniser, dataset)


def _cell(planner: Planner, pace: Pace, recogniser: str, dataset: str) -> Cell:
    """Blocks that are not named are after each quarter of its depth; batchings that are one for it are left out."""
    facts, device = RECOGNISERS[recogniser], timing_device(pace.device)
    given = pace.model_dump(exclude={"recognisers", "datasets"}) | {
        "blocks": pace.blocks or tuple(quarter * facts.depth // 4 for quarter in (1, 2, 3)),
        "batchings": tuple(one for one in pace.batchings if one in facts.batchings),
        "device": device,
    }
    own = PaceSettings(recogniser=recogniser, dataset=dataset, **given)
    plugins = tuple(map(planner.policy, pace.policies))
    if dataset in registry.names("datasets"):
        plugins += (registry.module_name("datasets", dataset),)
    inputs = {"audio": planner.audio(dataset), "checkpoint": planner.fetch(facts.checkpoint)}
    address = f"{plain(device)}/{recogniser}/{dataset}/{'-'.join(pace.policies)}-{pace.within}"
    return planner.cell("pace", address, own, plugins=plugins, inputs=inputs)
