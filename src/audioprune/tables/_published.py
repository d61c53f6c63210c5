"""Published values beside ours: looked up in tidy frames, in the unit of the tables, marked with their status."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audioprune.exhibits.table import Cell, Row

if TYPE_CHECKING:
    import pandas as pd

MARKS = {"withdrawn": "†", "second-hand": "‡"}
STATUS = {
    "†": "from P0 (the ICLR 2025 poster), which its authors have withdrawn because of errors in its analysis of "
    "pruned tokens.",
    "‡": "from P2 (ECAI 2025), second-hand: quoted by drafts that cite it, not checked against the paper itself.",
}
EXPLAINED = {mark: f"Published value {text}" for mark, text in STATUS.items()}
SCALE = {"fraction": 100.0}  # units other than those of the tables


def lookup(frame: pd.DataFrame, *, keep_rate: float | None, **wanted: str) -> dict:
    """The published part of a `Cell` (published, source, mark) where all columns are as wanted; empty if nowhere.

    keep_rate: None where the published value is of no model.
    """
    at = frame["keep_rate"].isna() if keep_rate is None else (frame["keep_rate"] - keep_rate).abs() < 1e-9
    for column, text in wanted.items():
        at &= frame[column] == text
    if not at.any():
        return {}
    row = frame[at].iloc[0]
    value = float(row.value) * SCALE.get(row.unit, 1.0)
    return {"published": value, "source": str(row.source), "mark": MARKS.get(row.status, "")}


def has_published(rows: Iterable[Row]) -> bool:
    """Whether any published value stands in these rows."""
    cells = (cell for row in rows for cell in row.cells.values())
    return any(isinstance(cell, Cell) and cell.published is not None for cell in cells)


def status(cells: Iterable[Cell]) -> str:
    """One sentence on the published values among `cells`, for the caption; empty when there are none."""
    marks = {cell.mark for cell in cells if cell.mark}
    found = [f"Published values marked {mark} are {STATUS[mark]}" for mark in STATUS if mark in marks]
    return " ".join(found)
