"""Drops: a value plus its stated drop must give the same baseline everywhere (paper.md 3.6, 7)."""

from __future__ import annotations

from decimal import Decimal

from audioprune.results.findings import Finding, place, rows

TITLE = "Values, drops and their baselines"


def baseline(value: str, drop: str) -> Decimal:
    """The unpruned value that a value and its drop imply, exactly: 94.32 and 0.73 give 95.05."""
    return Decimal(value) + Decimal(drop)


def findings() -> list[Finding]:
    found = []
    for name in ("p2", "table1"):
        scores = {_cell(row): row for row in rows(name, "top1", "map")}
        for row in rows(name, "drop"):
            score, base = scores[_cell(row)], scores[row["backbone"], row["dataset"], 1.0]
            implied = baseline(score["value"], row["value"])
            off = implied - Decimal(base["value"])
            found.append(
                Finding(
                    "drops", f"{row['source']} {row['exhibit']}", place(row), f"{score['value']} (drop {row['value']})",
                    f"{base['value']} unpruned", float(off), "pp", "inconsistent" if off else "as expected",
                    row["status"], f"implies {implied}",
                )
            )  # fmt: skip
    return found


def _cell(row: dict[str, str]) -> tuple:
    return row["backbone"], row["dataset"], float(row["keep_rate"])
