"""Accuracy and cost by keep-rate: P0 Table 1, for every backbone and dataset of the study.

Our values come from the last epoch's weights. Weights chosen on the test clips stand only beside published values,
which were chosen so, with the optimism that the choice brings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from audioprune.cells.query import as_trained
from audioprune.exhibits.headline import Question
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results import costs
from audioprune.results.evaluations import tidy
from audioprune.tables import _ablation
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._rows import (
    KEEP_RATE,
    VALUE,
    adjusted,
    baseline,
    cell_of,
    change,
    cost_column,
    heading,
    in_order,
    named,
    quantity,
)

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Accuracy and cost by keep-rate"
CAPTION = (
    "Accuracy (or mAP) on the test clips, and what one clip costs, by the share of tokens that each pruning block "
    "keeps. Δ: the row's value minus the unpruned model's."
)
SPEED = (
    "Samples/s: median of the runs, eager kernel (attention with explicit maps, the published protocol). Compare "
    "speed-ups, never samples/s of two devices."
)
PUBLISHED = ("table1", "p2")  # files of report/published that it shows


def needs(study: Cells) -> list:
    """Evaluations without perturbation, and what their models cost."""
    shown = [c for c in study.cells("evaluate") if as_trained(c)]
    return [*shown, *study.cells("macs"), *study.cells("throughput")]


def build(results: Results) -> Table:
    import pandas as pd

    frame = tidy(results)
    frame = frame[(frame.perturbation == "none") & (frame.trained == "")]
    published = pd.concat([results.published(name) for name in PUBLISHED], ignore_index=True)
    groups = frame.groupby(["backbone", "dataset", "variant"], sort=False)
    rows = adjusted(
        row for (backbone, dataset, _), group in groups for row in _rows(results, published, backbone, dataset, group)
    )
    notes = [*_ablation.notes(frame.itertuples()), f"MACs: closed form{costs.checked(results)}."]
    if any("samples_per_s" in row.cells for row in rows):
        notes += [SPEED, costs.protocol(results.cells("throughput"))]
    cells = [cell for row in rows for cell in row.cells.values() if isinstance(cell, Cell)]
    return Table(_columns(rows), tuple(rows), tuple(notes), EXPLAINED, status(cells))


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    return (
        Column("name", "Method", align="left"),
        KEEP_RATE,
        cost_column(rows),
        Column("mac_reduction", "MACs saved", "%", 1),
        Column("accuracy", VALUE),
        Column("accuracy", "95 % interval", part="interval"),
        *change("drop"),
        Column("accuracy", "Published", part="published"),
        Column("accuracy", "Minus published", "points", part="difference"),
        Column("best_test", "Best test epoch"),
        Column("optimism", "Optimism", "points", signed=True),
        Column("samples_per_s", "Samples/s, eager", decimals=0),
        Column("speed_up", "Speed-up, eager", "×"),
        Column("speed_up_fused", "Speed-up, fused", "×"),
    )


def _rows(results: Results, published: pd.DataFrame, backbone: str, dataset: str, group: pd.DataFrame) -> Iterator[Row]:
    """Rows of one backbone and dataset: the unpruned model, then each method at falling keep-rates."""
    timed, fused = (costs.timings(results, backbone, dataset, kernel) for kernel in costs.KERNELS)
    ours = in_order(group[group["selection"] != "best_test"])
    tested = group[group["selection"] == "best_test"].set_index(["method", "keep_rate"])["value"]
    for row in ours.itertuples():
        base = baseline(ours, row)
        where = {"backbone": backbone, "dataset": dataset, "method": row.method, "keep_rate": row.keep_rate}
        cells = {**where, "name": named(row), "variant": row.variant, "selection": row.selection, "metric": row.metric}
        cells |= {"pruned_by": results.cell(row.cells[0]).settings.pruning.method}
        cells |= {"n": row.n, "runs": row.runs, "gmacs": costs.gmacs(results, results.cell(row.cells[0]))}
        beside = lookup(published, metric=row.metric, **where)
        cells["accuracy"] = quantity(row, **beside)
        if base is not None and base.cells != row.cells:
            cells["mac_reduction"] = 100 * (1 - cells["gmacs"] / costs.gmacs(results, results.cell(base.cells[0])))
            cells["drop"] = _ablation.difference(results, base, row) if base.runs and row.runs else None
        best = tested.get((row.method, row.keep_rate)) if beside else None
        if best is not None and best == best:
            cells |= {"best_test": best, "optimism": best - row.value if row.runs else None}
        cells |= {name: cell_of(one) for name, one in timed.get((row.method, row.keep_rate), {}).items()}
        cells["speed_up_fused"] = cell_of(fused.get((row.method, row.keep_rate), {}).get("speed_up"))
        yield Row(cells, heading(ours))


HEADLINE = Question(
    question="Does pruning by attention at keep-rate {rate} cost accuracy?",
    above="Pruned minus unpruned, in points",
    difference="drop",
    of={"method": "topk"},
    turned=True,
)
