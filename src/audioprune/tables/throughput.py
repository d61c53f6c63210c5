"""Throughput by keep-rate: P0 Table 7, for both attention kernels.

Only ratios to the unpruned model of the same run are compared; samples a second belong to one device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from audioprune import registry
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.facts.tokens import PATCH
from audioprune.results.costs import KERNELS, method_of, protocol, rates
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._rows import KEEP_RATE, cell_of, cost_column

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Throughput by keep-rate"
CAPTION = (
    "Clips per second (median and quartiles of the runs), and the speed-up: the median over runs of the ratio to the "
    "unpruned model timed right beside it; for attention with explicit maps (eager: the published protocol) and "
    "without them (fused)."
)
PUBLISHED = ("table7",)  # files of report/published that it shows
PLUGINS = ("datasets",)  # those of the published values, which the study may not have


def needs(study: Cells) -> list:
    return study.cells("throughput")


def build(results: Results) -> Table:
    from audioprune.profiling.macs import of_settings

    published = results.published("table7")
    names = _published_shapes(results, published)
    by_model: dict[tuple, dict] = {}
    for r in results.cells("throughput"):
        s = r.settings
        shape = (s.model.backbone, s.model.stride, s.frames, s.num_classes)
        constant = registry.method(s.method).is_constant(s.options)
        key = (*shape, s.device, s.precision, s.batch_size, method_of(r), constant)
        group = by_model.setdefault(key, {})
        for rate in s.keep_rates:
            group.setdefault(rate, {})["gmacs"] = of_settings(s, rate).gmacs
        for rate, timed in rates(r).items():
            group.setdefault(rate, {})[s.model.kernel] = {name: cell_of(one) for name, one in timed.items()}
    rows = [row for key, group in by_model.items() for row in _rows(published, names, key, group)]
    cells = [cell for row in rows for cell in row.cells.values() if isinstance(cell, Cell)]
    columns = _columns(cost_column(rows))
    note = "Published values: one RTX 4090. Compare the speed-ups; samples/s of two devices say nothing about pruning."
    notes = (protocol(results.cells("throughput")), note if status(cells) else "")
    return Table(columns, tuple(rows), tuple(filter(None, notes)), EXPLAINED, status(cells))


def _published_shapes(results: Results, published: pd.DataFrame) -> dict[tuple[int, int], str]:
    """{(frames, classes): published dataset}: a timing knows the shape of its input, not whose it is."""
    facts = [results.dataset(name) for name in published["dataset"].unique() if name]
    return {(one.frames, one.num_classes): one.name for one in facts}


def _rows(published: pd.DataFrame, names: dict, key: tuple, group: dict) -> Iterator[Row]:
    backbone, stride, frames, classes, device, precision, batch, method, constant = key
    dataset = names.get((frames, classes), "") if stride == PATCH else ""
    where = {"backbone": backbone, "dataset": dataset, "metric": "throughput"}
    base = lookup(published, keep_rate=1.0, method="none", **where)
    title = f"{backbone}, {frames} frames, {classes} classes: {device}, {precision}, batches of {batch}"
    title = title.replace(",", f" at stride {stride},", 1) if stride != PATCH else title
    for rate in sorted(group, reverse=True):
        cells: dict = {"backbone": backbone, "stride": stride, "frames": frames, "classes": classes, "device": device}
        cells |= {"precision": precision, "batch_size": batch, "method": "none" if rate == 1 else method}
        cells["keep_rate"] = Cell() if constant and rate < 1 else rate
        cells |= {"gmacs": group[rate]["gmacs"], "remaining": 100 * group[rate]["gmacs"] / group[1.0]["gmacs"]}
        beside = lookup(published, keep_rate=rate, method=cells["method"], **where)
        for kernel in KERNELS:
            timed = group[rate].get(kernel, {})
            cells |= {f"{kernel}_{name}": timed.get(name) for name in ("samples_per_s", "speed_up")}
        if beside and isinstance(cells["eager_speed_up"], Cell):
            ratio = {**beside, "published": beside["published"] / base["published"]}
            cells["eager_speed_up"] = replace(cells["eager_speed_up"], **ratio)
            cells["published_samples_per_s"] = Cell(**beside)
        yield Row(cells, title)


def _columns(macs: Column) -> tuple[Column, ...]:
    columns = [Column("method", "Method", align="left"), KEEP_RATE]
    columns += [macs, Column("remaining", "MACs remaining", "%", 1)]
    for kernel in KERNELS:
        columns += [
            Column(f"{kernel}_samples_per_s", f"Samples/s, {kernel}", decimals=1),
            Column(f"{kernel}_samples_per_s", "quartiles", decimals=1, part="interval"),
            Column(f"{kernel}_speed_up", f"Speed-up, {kernel}", "×"),
        ]
    columns += [Column("published_samples_per_s", "Published samples/s", decimals=0, part="published")]
    published = Column("eager_speed_up", "Published speed-up", "×", part="published")
    return (*columns, published, Column("eager_speed_up", "Minus published", "×", part="difference"))
