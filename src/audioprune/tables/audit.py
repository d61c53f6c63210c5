"""The audit of P0's token analysis: known selections under right and wrong labels (paper.md 6.1, B24)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune import registry
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.facts.tokens import grid, keep_count
from audioprune.results.audits import SELECTIONS, pooled
from audioprune.results.tokens import Group, analysed, groups
from audioprune.tables._published import EXPLAINED, MARKS, has_published, status
from audioprune.tables._tokens import cells_of, facts, measured, place, where

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Audit of the published token analysis"
CAPTION = (
    "Mean of ratio B minus K / N for selections made without labels: the patches of highest mean (intensity), the "
    "lowest mel bands, random patches, and those that the trained model keeps. Each is evaluated under the right "
    "labels, under labels read in the other model's token order (transposed) and under labels shuffled within each "
    "clip. In brackets, the range in which a selection blind to the labels lies with 95 % probability. Last, the "
    "largest |B − K / N| over the stages."
)
PUBLISHED = ("table2",)  # files of report/published that it shows
PLUGINS = ("datasets",)  # those of the published values, which the study may not have
BACKBONE = "audiomae-b"  # of P0's Table 2
NEAR = (
    "P0's: the largest |B − K / N| of its Table 2 (AudioMAE) for the same kind of dataset and keep-rate. It is as "
    "close to zero as under shuffled labels."
)
READING = (
    "Under right labels an intensity selection keeps far more signal than K / N. Under labels shuffled within each "
    "clip every row is near zero. Transposed labels lie in between: they still carry information where signal fills a "
    "corner of the spectrogram."
)


def needs(study: Cells) -> list:
    return analysed(study)


def build(results: Results) -> Table:
    published, shown = results.published("table2"), groups(results, needs(results))
    rows = [row for group in shown for row in _rows(results, published, group)]
    stages = max((len(group.blocks) for group in shown), default=0)
    told = (READING, *([NEAR] if has_published(rows) else [])) if rows else ()
    return Table(_columns(stages), tuple(rows), told, EXPLAINED, status(cells_of(rows)))


def _rows(results: Results, published: pd.DataFrame, group: Group) -> Iterator[Row]:
    headed = f"{place(group)}: keep-rate {group.keep_rate:g}"
    headed = "; ".join(filter(None, (headed, group.variant)))
    if not group.cells:
        yield Row({**where(group), "map": "right", "stage1": measured(None, group)}, headed)
        return
    frame = pooled([results.cell(path).frame("audit.parquet") for path in group.cells])
    theirs = {}
    if group.family == "audiomae" and group.score == "global":  # what P0's Table 2 is of
        theirs = largest(published, of_kind(published, results.dataset(group.dataset).task), group.keep_rate)
    for (label_map, selection), own in frame.groupby(["map", "selection"], sort=False):
        row = {**where(group), **facts(group), "map": label_map, "selection": SELECTIONS[selection]}
        for one in own.itertuples():
            row[f"stage{one.stage}"] = Cell(100 * one.excess)
            row[f"blind{one.stage}"] = Cell(0.0, 100 * one.low, 100 * one.high)
        row["largest"] = Cell(100 * float(own["excess"].abs().max()), **theirs)
        yield Row(row, headed, group.cells)


def of_kind(published: pd.DataFrame, task: str) -> str:
    """P0's dataset of a kind of task; empty where it has none."""
    return next((name for name in published["dataset"].unique() if registry.dataset(name).task == task), "")


def largest(published: pd.DataFrame, dataset: str, keep_rate: float) -> dict:
    """Points between ratio B of P0's Table 2 and K / N, at most over the stages, as `lookup` gives it; or nothing."""
    at = (published["dataset"] == dataset) & (published["backbone"] == BACKBONE) & (published["metric"] == "ratio_b")
    own = published[at & ((published["keep_rate"] - keep_rate).abs() < 1e-9)].sort_values("location")
    if own.empty:
        return {}
    patches = kept = math.prod(grid(registry.dataset(dataset).frames))
    away = []
    for value in own["value"]:
        kept = keep_count(keep_rate, kept)
        away.append(abs(value - 100 * kept / patches))
    return {"published": max(away), "source": own["source"].iloc[0], "mark": MARKS.get(own["status"].iloc[0], "")}


def _columns(stages: int) -> tuple[Column, ...]:
    by_stage = [
        column
        for stage in range(1, stages + 1)
        for column in (
            Column(f"stage{stage}", f"Stage {stage}", "points", 1, signed=True),
            Column(f"blind{stage}", "if blind", part="interval", decimals=1, signed=True),
        )
    ]
    return (
        Column("map", "Labels", align="left"),
        Column("selection", "Kept", align="left"),
        *by_stage,
        Column("largest", "Largest", "points", 1),
        Column("largest", "P0's", "points", 1, part="published"),
    )
