"""Forensics of the published numbers: what follows from them by arithmetic alone. The same in every study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Column, Row, Table
from audioprune.tables._published import MARKS, STATUS
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.findings import Finding
    from audioprune.results.study import Results

TITLE = "Forensics of the published numbers"
CAPTION = (
    "What the printed numbers say by themselves, without any training: one row for each group of numbers and finding, "
    "with the number that is furthest from what is expected."
)
STANDALONE = True  # shows no cells: every study has it
FILES = (("report/published", "*.csv"),)  # that its key depends on
PLUGINS = ("forensics", "datasets", "backbones", "pruning")  # kinds of modules that it uses all of
UNITS = {"pp": "points", "pct_remaining": "points", "samples_per_s": "samples/s", "fraction": "", "tau_star": ""}


def needs(study: Cells) -> list:
    """No cells: published numbers alone."""
    return []


def build(results: Results) -> Table:
    from audioprune import registry
    from audioprune.results.findings import MEANING

    rows: list[Row] = []
    used: dict[str, None] = {}
    for name in registry.names("forensics"):
        module = registry.get("forensics", name)
        groups: dict[tuple, list] = {}
        for finding in module.findings():
            groups.setdefault((finding.group, finding.verdict), []).append(finding)
            used.setdefault(finding.verdict)
        rows += [_row(own, module.TITLE) for own in groups.values()]
    notes = tuple(f"{verdict.capitalize()}: {MEANING[verdict]}." for verdict in used)
    shown = [mark for mark in STATUS if any(mark in str(row.cells["where"]) for row in rows)]
    return Table(_columns(), tuple(rows), notes, status=" ".join(f"Values marked {m} are {STATUS[m]}" for m in shown))


def _row(findings: list[Finding], title: str) -> Row:
    """The furthest of a group that has one verdict."""
    worst = max(findings, key=lambda f: abs(f.deviation))
    cells: dict[str, Any] = {
        "where": worst.group + MARKS.get(worst.status, ""),
        "cells": len(findings),
        "finding": worst.verdict,
        "printed": worst.printed,
        "expected": worst.expected,
        "off": f"{number(worst.deviation, 3, signed=True)} {UNITS.get(worst.unit, worst.unit)}".strip(),
        "deviation": worst.deviation,
        "unit": worst.unit,
        "furthest": worst.where,
        "note": worst.note,
    }
    return Row(cells, title)


def _columns() -> tuple[Column, ...]:
    return (
        Column("where", "Where", align="left", wrap=True),
        Column("cells", "Numbers", decimals=0),
        Column("finding", "Finding", align="left", wrap=True),
        Column("printed", "Printed", align="left"),
        Column("expected", "Expected", align="left"),
        Column("off", "Printed − expected", align="right"),
    )
