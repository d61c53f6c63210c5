"""Which recognisers and classifiers a study times on clips of their own lengths, and how such a cell is made up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audioprune import registry
from audioprune.cells.cell import Cell
from audioprune.config.design import Pace
from audioprune.facts.mel import MEL_BINS
from audioprune.facts.recogniser import CTC, RECOGNISERS
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.planning.stages import Planner, plain, timing_device
from audioprune.settings.costs import PaceSettings


def paced(planner: Planner, pace: Pace, heard: Iterable[Cell]) -> Iterator[Cell]:
    """One cell for each recogniser on each dataset that it transcribes, made from what its first transcripts are.

    Blocks that are not named are those at which it is pruned first; where it is not, after each quarter of its depth.
    """
    first: dict[tuple[str, str], Cell] = {}
    blocks: dict[tuple[str, str], tuple[int, ...]] = {}
    for cell in heard:
        own = cell.settings
        first.setdefault((own.recogniser, own.dataset), cell)
        if own.policy != "none":
            blocks.setdefault((own.recogniser, own.dataset), own.blocks)
    for (recogniser, dataset), cell in first.items():
        if recogniser in (pace.recognisers or (recogniser,)) and dataset in (pace.datasets or (dataset,)):
            depth = (RECOGNISERS | CTC)[recogniser].depth
            quarters = tuple(quarter * depth // 4 for quarter in (1, 2, 3))
            where = pace.blocks or blocks.get((recogniser, dataset), quarters)
            yield _cell(planner, pace, recogniser, dataset, where, cell.inputs)


def paced_classifiers(planner: Planner, pace: Pace, tuned: Iterable[Cell]) -> Iterator[Cell]:
    """One cell for each backbone on each dataset: its first unpruned fine-tuning, pruned off the shelf, which costs as
    much as a model that was trained so. Buckets hold clips of equal columns, so that none of them is padded."""
    seen: set[tuple[str, str]] = set()
    for cell in tuned:
        backbone, dataset = place = cell.settings.model.backbone, cell.settings.dataset
        asked = backbone in pace.backbones and dataset in pace.datasets and cell.settings.pruning.method == "none"
        if not asked or place in seen:
            continue
        seen.add(place)
        given = pace.model_dump(exclude={"recognisers", "backbones", "datasets"})
        given |= {"blocks": pace.blocks or BLOCKS, "bucket": MEL_BINS // PATCH, "device": timing_device(pace.device)}
        own = PaceSettings(backbone=backbone, dataset=dataset, **given)
        plugins = [registry.module_name("backbones", backbone)]
        plugins += [registry.module_name("pruning", name) for name in ("none", *pace.policies)]
        if dataset in registry.names("datasets"):
            plugins.append(registry.module_name("datasets", dataset))
        inputs = {"finetune": cell, "audio": cell.inputs["audio"], "features": cell.inputs["features"]}
        address = f"{plain(own.device)}/{backbone}/{dataset}/{'-'.join(pace.policies)}"
        yield planner.cell("pace", address, own, plugins=tuple(dict.fromkeys(plugins)), inputs=inputs)


def _cell(
    planner: Planner, pace: Pace, recogniser: str, dataset: str, blocks: tuple[int, ...], inputs: dict[str, Cell]
) -> Cell:
    """Batchings that are one for it are left out."""
    facts, device = (RECOGNISERS | CTC)[recogniser], timing_device(pace.device)
    given = pace.model_dump(exclude={"recognisers", "backbones", "datasets"}) | {
        "blocks": blocks,
        "batchings": tuple(one for one in pace.batchings if one in facts.batchings),
        "device": device,
    }
    own = PaceSettings(recogniser=recogniser, dataset=dataset, **given)
    plugins = tuple(map(planner.policy, pace.policies))
    if recogniser in CTC:
        plugins += (registry.module_name("recognisers", CTC[recogniser].family),)
    if dataset in registry.names("datasets"):
        plugins += (registry.module_name("datasets", dataset),)
    address = f"{plain(device)}/{recogniser}/{dataset}/{'-'.join(pace.policies)}"
    return planner.cell("pace", address, own, plugins=plugins, inputs=dict(inputs))
