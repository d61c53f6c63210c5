"""Trained models that a claim can be judged on, and what was evaluated of each."""

from __future__ import annotations

from typing import Any

from audioprune import registry
from audioprune.labels import label_of
from audioprune.results.evaluations import by_cell, tidy
from audioprune.results.study import Result, Results
from audioprune.settings.model import Pruning
from audioprune.settings.training import FinetuneSettings

OFF_THE_SHELF = "off the shelf: "  # before a method that an unpruned fine-tuning is evaluated with
SELECTIONS = ("last", "best_val")  # by which weights claims are judged, the first that a model has
UNPRUNED = label_of(Pruning())

Wanted = tuple[str, float, str]  # method, keep-rate, perturbation
Row = Any  # of evaluations.tidy


def evaluated(results: Results) -> dict[tuple[str, str, str], dict[Wanted, Row]]:
    """{(backbone, dataset, variant): evaluations} of one weight selection, as trained and off the shelf.

    Other combinations of trained and evaluated pruning decide no claim.
    """
    found: dict[tuple[str, str, str], dict[str, dict[Wanted, Row]]] = {}
    for row in tidy(results).itertuples():
        if row.trained not in ("", UNPRUNED) or row.selection not in SELECTIONS:
            continue
        what = (OFF_THE_SHELF * bool(row.trained) + row.method, row.keep_rate, row.perturbation)
        own = found.setdefault((row.backbone, row.dataset, row.variant), {})
        own.setdefault(row.selection, {})[what] = row
    return {model: next(own[one] for one in SELECTIONS if one in own) for model, own in found.items()}


def values_by_seed(results: Results, row: Row) -> dict[int, float]:
    """{seed: mean over folds} of the evaluations that are there."""
    each = by_cell(results).loc[list(row.cells)]
    return each[each["why"] == ""].groupby("seed")["value"].mean().to_dict()


def trained_as(cell: Result) -> FinetuneSettings | None:
    """Settings of the fine-tuning that a cell is made from; None where it is of no trained model."""
    if cell.kind == "finetune":
        return cell.settings
    found = (trained_as(cell.inputs[kind]) for kind in ("trace", "finetune") if kind in cell.inputs)
    return next(found, None)


def size_of(backbone: str) -> str:
    """'tiny' of ast-mp-tiny."""
    return backbone.removeprefix(f"{registry.backbone(backbone).family.name}-")
