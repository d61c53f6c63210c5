"""The cells of a declared contrast, planned or made: the models of each of its sides, and their evaluations."""

from __future__ import annotations

from audioprune.cells.query import Cells
from audioprune.settings.exhibits import Contrast
from audioprune.settings.model import Pruning
from audioprune.settings.training import FinetuneSettings


def models(study: Cells, contrast: Contrast, side: Pruning) -> list:
    """Fine-tunings that a side is evaluated from, of all folds and seeds; of the first recipe where there are two."""
    found = study.cells(
        "finetune", backbone=contrast.backbone, dataset=contrast.dataset, pruning=_trained(contrast, side)
    )
    return [c for c in found if _recipe(c.settings) == _recipe(found[0].settings)]


def evaluations(study: Cells, contrast: Contrast, side: Pruning) -> list:
    """Evaluations of these models' last weights with the side's pruning."""
    wanted = {"backbone": contrast.backbone, "dataset": contrast.dataset, "pruning": side}
    found = [
        c
        for c in study.cells("evaluate", selection="last", perturbation="none", **wanted)
        if c.inputs["finetune"].settings.pruning == _trained(contrast, side)
    ]
    tuned = [c.inputs["finetune"].settings for c in found]
    return [c for c, own in zip(found, tuned, strict=True) if _recipe(own) == _recipe(tuned[0])]


def _trained(contrast: Contrast, side: Pruning) -> Pruning:
    """What the models of a side were trained with: off the shelf, with nothing."""
    return side if contrast.trained else Pruning()


def _recipe(tuned: FinetuneSettings) -> tuple:
    return tuned.recipe, tuned.augment, tuned.split, tuned.initial
