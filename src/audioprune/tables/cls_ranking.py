"""Models that rank by the class token's attention: P0 Table 5, AudioMAE-CLS and AST-CLS (paper.md 2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from audioprune.cells.query import as_trained
from audioprune.exhibits.table import Column, Row, Table
from audioprune.results.evaluations import tidy
from audioprune.results.tokens import Group, analysed, groups, means
from audioprune.tables import _retention
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._rows import KEEP_RATE, quantity
from audioprune.tables._tokens import cells_of, facts, headings, measured, notes, where

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Models that rank by the class token's attention"
CAPTION = (
    "Accuracy (or mAP) on the test clips, and ratios A and B of signal tokens at each pruning stage, of topk models "
    "that rank by the class token's attention: AST's own score, an option of AudioMAE. Blind: the ratio of a "
    "selection blind to signal (K / N for ratio B); excess: the ratio minus that. Last, the share of the kept tokens "
    "that is padding."
)
PUBLISHED = ("table5",)  # files of report/published that it shows
METRICS = {"top1": "top-1", "map": "mAP × 100"}
BLIND = {"ratio_a": ("blind_a", "excess_a"), "ratio_b": ("kept_fraction", "excess")}
CAUTION = "P0's Table 5 is withdrawn with the rest of its token analysis."


def needs(study: Cells) -> list:
    """The analyses of models ranked by CLS, and the evaluations of the same fine-tunings."""
    found = analysed(study, score="cls")
    tuned = {c.inputs["trace"].inputs["finetune"].path for c in found}
    shown = [c for c in study.cells("evaluate", selection="last") if as_trained(c)]
    return [*found, *(c for c in shown if c.inputs["finetune"].path in tuned)]


def build(results: Results) -> Table:
    published, cells = results.published("table5"), needs(results)
    shown = groups(results, [c for c in cells if c.kind == "tokens"])
    evaluated = tidy(results)
    evaluated = evaluated[
        (evaluated["selection"] == "last") & (evaluated["perturbation"] == "none") & (evaluated["trained"] == "")
    ]
    headed = headings(results, shown)
    rows = [Row(row, headed[group.model]) for group in shown for row in _rows(results, published, evaluated, group)]
    told = (CAUTION, _retention.DENOMINATOR, *notes(results, shown))
    return Table(_columns(), tuple(rows), told, EXPLAINED, status(cells_of(rows)))


def _rows(results: Results, published: pd.DataFrame, evaluated: pd.DataFrame, group: Group) -> Iterator[dict[str, Any]]:
    fixed = where(group) | facts(group)
    for r in evaluated.itertuples():
        same = (r.backbone, r.dataset, r.method, r.keep_rate, r.variant)
        if same == (group.backbone, group.dataset, group.method, group.keep_rate, group.variant):
            beside = lookup(published, metric=r.metric, **where(group))
            yield {**fixed, "quantity": METRICS.get(r.metric, r.metric), "ours": quantity(r, **beside)}
    own = means(results, group, "stages", ("stage",), _retention.QUANTITIES) if group.cells else {}
    for ratio in ("ratio_a", "ratio_b"):
        for stage, block in enumerate(group.blocks, start=1):
            beside = lookup(published, metric=ratio, location=str(block), **where(group))
            row = {**fixed, "quantity": f"{ratio[-1].upper()}, stage {stage}"}
            row["ours"] = measured(own.get((stage, ratio)), group, 100, **beside)
            if own:
                blind, excess = BLIND[ratio]
                row["blind"] = 100 * own[stage, blind].value
                row["excess"] = measured(own[stage, excess], group, 100)
                row |= {kind: 100 * own[stage, kind].value for kind in _retention.KEPT}
            yield row


def _columns() -> tuple[Column, ...]:
    return (
        KEEP_RATE,
        Column("quantity", "Quantity", align="left"),
        Column("ours", "Value", "%", 1),
        Column("ours", "95 % interval", part="interval", decimals=1),
        Column("blind", "Blind", "%", 1),
        Column("excess", "Excess", "points", 1, signed=True),
        Column("excess", "95 % interval", part="interval", decimals=1, signed=True),
        Column("padding_of_kept", "Kept padding", "%", 1),
        Column("ours", "Published", "%", 1, part="published"),
        Column("ours", "Minus published", "points", 1, part="difference"),
    )
