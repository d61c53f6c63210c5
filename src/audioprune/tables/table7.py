"""Throughput by keep-rate: P0 Table 7, for both attention kernels.

Only ratios to the unpruned model of the same run are compared; samples a second belong to one device.
"""

from __future__ import annotations

from audioprune.tables._cost import method_of, rates
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._table import Cell, Column, Row, Table

TITLE = "Throughput by keep-rate"
CAPTION = (
    "Clips a second (median and quartiles of the runs) and the speed-up over the unpruned model timed in the same run, "
    "for attention with explicit maps (eager: the published protocol) and without them (fused)."
)
PUBLISHED = ("table7",)  # files of report/published that it shows
KERNELS = ("eager", "fused")


def needs(study) -> list:
    return study.cells("throughput")


def build(results) -> Table:
    published, names = results.published("table7"), _datasets(results)
    by_model: dict[tuple, dict] = {}
    for r in results.cells("throughput"):
        s = r.settings
        model = (
            s.model.backbone,
            names.get((s.frames, s.num_classes), ""),
            s.frames,
            s.num_classes,
            s.device,
            s.precision,
        )
        group = by_model.setdefault((*model, s.batch_size, method_of(r)), {})
        for rate, cells in rates(r).items():
            group.setdefault(rate, {})[s.model.kernel] = cells
    rows = [row for key, group in by_model.items() for row in _rows(published, key, group)]
    cells = [cell for row in rows for cell in row.cells.values() if isinstance(cell, Cell)]
    note = "Published values: one RTX 4090. Compare the speed-ups; samples/s of two devices say nothing about pruning."
    return Table(_columns(), tuple(rows), (note,) if status(cells) else (), EXPLAINED, status(cells))


def _datasets(results) -> dict[tuple[int, int], str]:
    """{(frames, classes): datasets of the study with that shape}: a timing knows shapes, not names."""
    found: dict[tuple[int, int], dict[str, None]] = {}
    for r in results.cells("finetune"):
        facts = results.dataset(r.settings.dataset)
        found.setdefault((facts.frames, facts.num_classes), {})[facts.name] = None
    return {shape: ", ".join(names) for shape, names in found.items()}


def _rows(published, key: tuple, group: dict):
    backbone, dataset, frames, classes, device, precision, batch, method = key
    where = {"backbone": backbone, "dataset": dataset, "metric": "throughput"}
    base = lookup(published, keep_rate=1.0, method="none", **where)
    title = f"{backbone} on {dataset or f'{frames} frames'}: {device}, {precision}, batches of {batch}"
    for rate in sorted(group, reverse=True):
        cells: dict = {"backbone": backbone, "dataset": dataset, "frames": frames, "classes": classes, "device": device}
        cells |= {
            "precision": precision,
            "batch_size": batch,
            "method": "none" if rate == 1 else method,
            "keep_rate": rate,
        }
        beside = lookup(published, keep_rate=rate, method=cells["method"], **where)
        for kernel in KERNELS:
            timed = group[rate].get(kernel, {})
            cells |= {
                f"{kernel}_samples_per_s": timed.get("samples_per_s"),
                f"{kernel}_speed_up": timed.get("speed_up"),
            }
        if beside and isinstance(cells["eager_speed_up"], Cell):
            ours, ratio = cells["eager_speed_up"], beside["published"] / base["published"]
            cells["eager_speed_up"] = Cell(
                ours.value, ours.low, ours.high, ratio, beside["source"], beside["mark"], ours.why
            )
            cells["published_samples_per_s"] = beside["published"]
        yield Row(cells, title)


def _columns() -> tuple[Column, ...]:
    columns = [Column("method", "Method", align="left"), Column("keep_rate", "Keep-rate", decimals=1)]
    for kernel in KERNELS:
        columns += [
            Column(f"{kernel}_samples_per_s", f"Samples/s, {kernel}", decimals=1),
            Column(f"{kernel}_samples_per_s", "quartiles", decimals=1, part="interval"),
            Column(f"{kernel}_speed_up", f"Speed-up, {kernel}", "×"),
        ]
    columns += [Column("published_samples_per_s", "Published samples/s", decimals=0)]
    published = Column("eager_speed_up", "Published speed-up", "×", part="published")
    return (*columns, published, Column("eager_speed_up", "Difference", "×", part="difference"))
