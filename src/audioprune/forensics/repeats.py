"""Repeats: numbers that P0 prints in several tables must be equal (Tables 1, 4 and 7)."""

from __future__ import annotations

from audioprune.results.findings import Finding, place, rows

TITLE = "The same quantity in several tables"


def findings() -> list[Finding]:
    first = {_cell(row): row for row in rows("table1", "top1", "map")}
    again = list(rows("table7", "top1", "map"))
    again += [row for row in rows("table4", "top1") if row["location"] == "none"]
    return [_finding(row, first[_cell(row)]) for row in again]


def _finding(row: dict[str, str], other: dict[str, str]) -> Finding:
    off = float(row["value"]) - float(other["value"])
    return Finding(
        "repeats", f"{row['source']} {row['exhibit']} against Table 1", place(row), row["value"],
        f"{other['value']} of Table 1", off,
        "pp" if row["metric"] == "top1" else "fraction", "inconsistent" if off else "as expected", row["status"],
    )  # fmt: skip


def _cell(row: dict[str, str]) -> tuple:
    return row["dataset"], row["keep_rate"], row["metric"]
