"""Where every number comes from: what was not run, clips set aside, software, time and key of each cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from audioprune.cells.provenance import code
from audioprune.cells.query import value_of
from audioprune.exhibits.table import Column, Row, Table

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.results.study import Result, Results


def sections(results: Results) -> Iterator[dict]:
    """Name, heading, text, table and whether folded, of each section in order."""
    cells = results.all()
    made = [r for r in cells if r.ok]
    yield _not_run([r for r in cells if not r.ok])
    yield _set_aside(results)
    yield _stages(cells)
    yield _software(made)
    yield _every_cell(made)


def set_aside(results: Results) -> dict[str, pd.DataFrame]:
    """{dataset: clips that were set aside, with reasons} of the datasets whose audio is there."""
    found = {}
    for r in results.all():
        if r.kind == "audio" and r.ok and (r.dir / "set_aside.csv").is_file():
            found[r.settings.dataset] = r.frame("set_aside.csv")
    return found


def _not_run(missing: list[Result]) -> dict:
    """Cells that are not there, those with the same reason together."""
    groups: dict[tuple, list[Result]] = {}
    for r in missing:
        what = (r.kind, value_of(r, "backbone") or "", value_of(r, "dataset") or "", r.why)
        groups.setdefault(what, []).append(r)
    columns = [Column(key, key.capitalize(), align="left") for key in ("stage", "backbone", "dataset")]
    columns += [Column("cells", "Cells", decimals=0), Column("why", "Because", align="left", wrap=True)]
    rows = [
        Row({"stage": kind, "backbone": backbone, "dataset": dataset, "cells": len(own), "why": why})
        for (kind, backbone, dataset, why), own in groups.items()
    ]
    text = f"{len(missing)} planned cells were not run." if missing else "Everything that was planned was run."
    return _section("not-run", "Not run", text, columns, rows)


def _set_aside(results: Results) -> dict:
    frames = set_aside(results)
    rows = [
        Row({"dataset": dataset, "clip": str(clip.clip), "reason": ": ".join(filter(None, map(str, clip[2:])))})
        for dataset, frame in frames.items()
        for clip in frame.fillna("").itertuples()
    ]
    columns = [
        Column(key, key.capitalize(), align="left", wrap=key != "dataset") for key in ("dataset", "clip", "reason")
    ]
    text = (
        f"{len(rows)} clips could not be used and are in no number of this report."
        if rows
        else "No clip was set aside."
    )
    return _section("set-aside", "Clips set aside", text, columns, rows, folded=len(rows) > 20)


def spoken(seconds: float) -> str:
    """45 -> '45 s', 2040 -> '34 min', 8220 -> '2 h 17 min'."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")))


def _stages(cells: list[Result]) -> dict:
    by_kind: dict[str, list[Result]] = {}
    for r in cells:
        by_kind.setdefault(r.kind, []).append(r)
    rows = [_stage(kind, own) for kind, own in by_kind.items()]
    rows.append(_stage("all", cells))
    columns = [
        Column("stage", "Stage", align="left"),
        Column("planned", "Planned", decimals=0),
        Column("made", "There", decimals=0),
        Column("time", "Wall time"),
        Column("longest", "Longest"),
        Column("peak_memory_mib", "Peak memory", "MiB", 0),
    ]
    return _section(
        "stages",
        "Stages",
        "Wall time summed over cells, that of the longest one, and the largest peak memory.",
        columns,
        rows,
    )


def _stage(kind: str, cells: list[Result]) -> Row:
    made = [r.record["made"] for r in cells if r.ok]
    wall = [m["wall_s"] for m in made]
    row = {"stage": kind, "planned": len(cells), "made": len(made), "wall_s": sum(wall)}
    row |= {"time": spoken(sum(wall)), "longest": spoken(max(wall, default=0))}
    return Row(row | {"peak_memory_mib": max((m["peak_memory_mib"] for m in made), default=None)})


def _software(made: list[Result]) -> dict:
    """Versions, devices and states of the code, with the number of cells made with each; mixtures are named."""
    counts: dict[tuple[str, str], int] = {}
    for r in made:
        m = r.record["made"]
        facts = [*m["versions"].items(), ("device", m["device"]), ("code", code(m["git"]))]
        for fact in facts:
            counts[fact] = counts.get(fact, 0) + 1
    names = [name for name, _ in counts]
    mixed = sorted({name for name in names if names.count(name) > 1})
    rows = [Row({"what": name, "value": value, "cells": n}) for (name, value), n in sorted(counts.items())]
    columns = [
        Column("what", "What", align="left"),
        Column("value", "Version", align="left", wrap=True),
        Column("cells", "Cells", decimals=0),
    ]
    text = (
        f"Mixed in this study: {', '.join(mixed)}."
        if mixed
        else "All cells were made with the same software, code and device."
    )
    return _section("software", "Software, code and devices", text if made else "No cell is there.", columns, rows)


def _every_cell(made: list[Result]) -> dict:
    rows = []
    for r in made:
        m = r.record["made"]
        row = {
            "address": r.address,
            "key": r.key,
            "wall_s": m["wall_s"],
            "memory": m["peak_memory_mib"],
            "started": m["started"],
        }
        row |= {"code": code(m["git"]), "device": m["device"]}
        rows.append(Row(row, group=r.kind))
    columns = [
        Column("address", "Cell", align="left"),
        Column("key", "Key", align="left"),
        Column("wall_s", "Wall time", "s", 1),
        Column("memory", "Memory", "MiB", 0),
        Column("started", "Started", align="left"),
    ]
    columns += [
        Column(key, key.capitalize(), align="left")
        for key in ("code", "device")
        if len({row.cells[key] for row in rows}) > 1
    ]
    text = (
        "Every cell with its content key, by stage. Its record lies in results/cells/<stage>/<cell>/<key>/record.json."
    )
    return _section("cells", "Every cell", text, columns, rows, folded=True)


def _section(
    name: str, heading: str, text: str, columns: Sequence[Column], rows: Sequence[Row], folded: bool = False
) -> dict:
    table = Table(tuple(columns), tuple(rows)) if rows else None
    return {"name": name, "heading": heading, "text": text, "table": table, "folded": folded}
