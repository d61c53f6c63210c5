"""Whether the unpruned models have learnt anything: those that have not are left out of answers and verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits.table import Column, Row, Table
from audioprune.results import competence
from audioprune.results.competence import Competence
from audioprune.wording import METRICS

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "What the unpruned models have learnt"
CAPTION = (
    "Every unpruned model against chance, and how many of the classes of its test clips it ever predicts. A model "
    "that is not above chance, or that predicts fewer than half of these classes, is left out of all answers and "
    "verdicts. Pruned models are not tested in this way: one that collapses is a finding."
)
LEFT_OUT, COUNTS = "left out", "counts"
NOTES = (
    "Chance, accuracy: that of always predicting the most frequent class, every recording counted once; p: one-sided "
    "binomial test over recordings. Chance, mAP: its mean when label sets are permuted between clips (999 "
    "permutations with one seed); p: the share of permutations that reach the value. Of several seeds the worst one "
    "counts.",
    "Predictions by class: how often a class is predicted, in brackets how many clips have it. For a clip with k "
    "labels, the k classes of the highest scores count as predicted.",
)


def needs(study: Cells) -> list:
    return competence.needs(study)


def build(results: Results) -> Table:
    found = [one for one in competence.every(results) if isinstance(one, Competence)]
    return Table(_columns(), tuple(Row(_cells(one), rests_on=one.cells) for one in found), NOTES if found else ())


def _cells(one: Competence) -> dict:
    return {
        "backbone": one.backbone, "dataset": one.dataset, "variant": one.variant, "metric": METRICS[one.metric],
        "value": one.value, "chance": one.chance, "p": one.p, "n": one.n,
        "predicted": one.predicted, "classes": one.classes, "of_classes": f"{one.predicted} of {one.classes}",
        "outcome": COUNTS if one.learnt else LEFT_OUT, "by_class": one.by_class, "said": one.said,
    }  # fmt: skip


def _columns() -> tuple[Column, ...]:
    return (
        Column("backbone", "Backbone", align="left"),
        Column("dataset", "Dataset", align="left"),
        Column("variant", "Recipe", align="left"),
        Column("metric", "Metric", align="left"),
        Column("value", "Unpruned", decimals=1),
        Column("chance", "Chance", decimals=1),
        Column("p", "p", p=True),
        Column("of_classes", "Classes predicted", align="left"),
        Column("n", "Clips", decimals=0),
        Column("outcome", "Outcome", align="left"),
        Column("by_class", "Predictions by class", align="left", wrap=True),
    )
