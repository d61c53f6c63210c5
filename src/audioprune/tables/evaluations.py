"""Every evaluation of a study, folds and seeds pooled, one row each: what the explorer of results is made of.

Each row says what it is compared with (`against`): the unpruned model of the same recipe, and of a perturbation test
the same model unperturbed. The paths of the cells that a row rests on stand in its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Column, Row, Table
from audioprune.labels import score_of
from audioprune.results import competence, contrasts, costs, recognitions
from audioprune.results.competence import Competence
from audioprune.results.evaluations import tidy
from audioprune.results.study import Result
from audioprune.tables import _ablation
from audioprune.tables._rows import KEEP_RATE, adjusted, cell_of, changed, cost_column, heading, quantity
from audioprune.wording import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "All evaluations"
CAPTION = (
    "Every evaluation of the study, folds and seeds pooled. Δ is the row minus its reference, in points: the unpruned "
    "model of the same recipe, or, for a perturbation test, the same model unperturbed."
)
NOTES = (
    "Trained: how the model was pruned in training, where that is not how it is evaluated; none-kr1 is pruned off the "
    "shelf. Test: a perturbation of tokens, and its control (shuffled).",
    "Of word error rates Δ above zero is worse; of everything else, better.",
)
BY = "; "  # between the paths of cells


@dataclass(frozen=True)
class Reference:
    """What a row of `evaluations.tidy` is compared with, if the study has it, and what is known of its model."""

    row: Any
    known: Competence | None


def needs(study: Cells) -> list:
    """All evaluations, and all transcripts."""
    return [*study.cells("evaluate"), *study.cells("transcribe")]


def build(results: Results) -> Table:
    frame = tidy(results)
    rows = adjusted([*_evaluated(results, frame), *_transcribed(results)])
    notes = (*_ablation.notes(frame.itertuples()), *NOTES, "MACs: closed form.") if rows else ()
    return Table(_columns(rows), tuple(rows), notes)


def _evaluated(results: Results, frame: pd.DataFrame) -> Iterator[Row]:
    for _, own in frame.groupby(["backbone", "dataset", "variant"], sort=False):
        for row in own.itertuples():
            yield Row(_cells(results, row, _reference(results, own, row)), heading(own))


def _reference(results: Results, own: pd.DataFrame, row: Any) -> Reference:
    """`own` are the rows of its backbone, dataset and recipe."""
    if row.perturbation != "none":
        asked = {"method": row.method, "keep_rate": row.keep_rate, "trained": row.trained, "perturbation": "none"}
    else:
        asked = {"method": "none", "trained": "", "perturbation": "none"}
    asked["selection"] = row.selection
    rows = (one for one in own.itertuples() if all(getattr(one, key) == value for key, value in asked.items()))
    found = competence.reference(results, results.cell(row.cells[0]).inputs["finetune"].settings)
    return Reference(next(rows, None), found if isinstance(found, Competence) else None)


def _cells(results: Results, row: Any, against: Reference) -> dict:
    first = results.cell(row.cells[0])
    pruning = first.settings.pruning
    compared = against.row is not None and against.row.cells != row.cells
    pruned = pruning.method != "none"
    return {
        "backbone": row.backbone, "dataset": row.dataset, "method": row.method, "keep_rate": row.keep_rate,
        "trained": row.trained, "blocks": ", ".join(map(str, pruning.blocks)) if pruned else "",
        "score": score_of(row.backbone, pruning), "test": "" if row.perturbation == "none" else row.perturbation,
        "selection": row.selection, "variant": row.variant, "metric": METRICS[row.metric],
        "gmacs": costs.gmacs(results, first), "value": quantity(row),
        "delta": cell_of(contrasts.difference(results, row, against.row)),
        "n": row.n, "runs": row.runs, "folds": row.folds, "seeds": row.seeds,
        "at_chance": "" if against.known is None or against.known.learnt else against.known.said,
        "cells": BY.join(row.cells), "against": BY.join(against.row.cells) if compared else "",
    }  # fmt: skip


def _transcribed(results: Results) -> Iterator[Row]:
    """Of recognisers, seeds pooled: the unpruned arm is what the others of its place are compared with."""
    arms = recognitions.arms(results)
    for arm in arms:
        plain = recognitions.unpruned(arms, arm.place)
        against = None if plain is None or plain.cells == arm.cells else plain
        group = f"{arm.place.recogniser} on {arm.place.dataset}: {METRICS['wer']}"
        yield Row(_heard(results, arm, against), group)


def _heard(results: Results, arm: recognitions.Arm, against: recognitions.Arm | None) -> dict:
    place, frames = arm.place, [one.frame() for one in arm.made]
    told = {"within": place.within, "budget": arm.budget, "restore": arm.restore, "thinned": arm.thinned[0]}
    variant = ", ".join(
        f"{name}={value}" for name, value in told.items() if value not in ("", "fixed") and place.blocks
    )
    return {
        "backbone": place.recogniser, "dataset": place.dataset, "method": arm.policy, "keep_rate": arm.keep_rate,
        "trained": "", "blocks": ", ".join(map(str, place.blocks)), "score": "", "test": "",
        "selection": "", "variant": ", ".join(filter(None, (place.trained, variant))), "metric": METRICS["wer"],
        "gmacs": frames[0]["encoder_macs"].mean() / 1e9 if frames else None,
        "value": cell_of(recognitions.wer(results, arm)),
        "delta": None if against is None else cell_of(recognitions.difference(results, arm, against)),
        "n": len(frames[0]) if frames else 0, "runs": len(frames), "folds": 1, "seeds": len(arm.cells), "at_chance": "",
        "cells": _paths(arm),
        "against": "" if against is None else _paths(against),
    }  # fmt: skip


def _paths(arm: recognitions.Arm) -> str:
    return BY.join(one.path for one in arm.cells if isinstance(one, Result))


def _columns(rows: list[Row]) -> tuple[Column, ...]:
    return (
        Column("method", "Method", align="left"),
        KEEP_RATE,
        Column("trained", "Trained", align="left"),
        Column("test", "Test", align="left"),
        cost_column(rows),
        Column("value", "Value", decimals=1),
        Column("value", "95 % interval", part="interval", decimals=1),
        Column("delta", "Δ", "points", decimals=1, signed=True),
        Column("delta", "95 % interval", part="interval", decimals=1, signed=True),
        changed("delta"),
    )
