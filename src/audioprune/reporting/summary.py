"""The first page: what was run, and each model's accuracy and cost at a glance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audioprune.cells.query import value_of
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.reporting.provenance import set_aside, spoken
from audioprune.results.costs import protocol
from audioprune.wording import METRICS

if TYPE_CHECKING:
    from audioprune.reporting.content import Exhibit
    from audioprune.results.study import Results


def lead(results: Results) -> tuple[str, ...]:
    """Sentences: the grid, what is there and what is not, what it took."""
    evaluated, cells = results.cells("evaluate"), results.all()
    backbones, datasets = (dict.fromkeys(value_of(r, what) for r in evaluated) for what in ("backbone", "dataset"))
    rates = sorted({r.settings.pruning.keep_rate for r in evaluated}, reverse=True)
    made = [r for r in cells if r.ok]
    devices = dict.fromkeys(r.record["made"]["device"] for r in made)
    aside = sum(len(frame) for frame in set_aside(results).values())
    grid = f"{_listed(backbones)} on {_listed(datasets)}, at keep-rates {_listed(f'{rate:g}' for rate in rates)}."
    there = f"All {len(cells)} cells are there." if len(made) == len(cells) else (
        f"{len(made)} of {len(cells)} cells are there; {len(cells) - len(made)} were not run (reasons below)."
    )  # fmt: skip
    wall = sum(r.record["made"]["wall_s"] for r in made)
    took = f"They took {spoken(wall)} in all on {_listed(devices)}." if made else ""
    clips = f"{aside or 'No'} clip{'' if aside == 1 else 's'} {'was' if aside == 1 else 'were'} set aside."
    return tuple(filter(None, (grid if evaluated else "", f"{there} {took}".strip(), clips)))


def glance(made: Iterable[Exhibit], results: Results) -> Table | None:
    """From Table 1: each model unpruned, and topk at its lowest keep-rate, where it was pruned; None if nowhere.

    With how speed-ups were timed, where it gives any.
    """
    found = next((e.table for e in made if e.name == "table1"), None)
    if found is None:
        return None
    groups: dict[tuple, list[dict]] = {}
    for cells in (row.cells for row in found.rows):
        groups.setdefault(tuple(cells[key] for key in ("backbone", "dataset", "variant")), []).append(cells)
    rows = tuple(_glance(own) for own in groups.values() if {"none", "topk"} <= {cells["pruned_by"] for cells in own})
    columns = (
        Column("backbone", "Backbone", align="left"),
        Column("dataset", "Dataset", align="left"),
        Column("metric", "Metric", align="left"),
        Column("unpruned", "Unpruned"),
        Column("unpruned", "95 % interval", part="interval"),
        Column("keep_rate", "Keep-rate", decimals=1),
        Column("pruned", "Pruned"),
        Column("drop", "Drop", "points"),
        Column("drop", "95 % interval", part="interval"),
        Column("mac_reduction", "MACs saved", "%", 1),
        Column("speed_up", "Speed-up, eager", "×"),
        Column("speed_up_fused", "Speed-up, fused", "×"),
    )
    timed = protocol(results.cells("throughput")) if any(row.cells.get("speed_up") for row in rows) else ""
    return Table(columns, rows, (timed,) if timed else ()) if rows else None


def _glance(rows: list[dict]) -> Row:
    """Of the rows of one backbone, dataset and variant."""
    unpruned = next(r for r in rows if r["pruned_by"] == "none")
    lowest = min((r for r in rows if r["pruned_by"] == "topk"), key=lambda r: r["keep_rate"])
    cells = {"backbone": unpruned["backbone"], "dataset": unpruned["dataset"], "metric": METRICS[unpruned["metric"]]}
    cells |= {"unpruned": _ours(unpruned["accuracy"])}
    cells |= {"keep_rate": lowest["keep_rate"], "pruned": _ours(lowest["accuracy"])}
    return Row(cells | {key: lowest.get(key) for key in ("drop", "mac_reduction", "speed_up", "speed_up_fused")})


def _ours(cell: Cell) -> Cell:
    return Cell(cell.value, cell.low, cell.high, why=cell.why, note=cell.note)


def _listed(names: Iterable[str]) -> str:
    """a; a and b; a, b and c."""
    *most, last = [*map(str, names)] or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last
