"""What a report opens with: every claim as a question, its verdict, its evidence in one line, and where it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Table

if TYPE_CHECKING:
    from audioprune.reporting.content import Exhibit

CLAIMS = "claims"  # the exhibit that holds them


@dataclass(frozen=True)
class Line:
    claim: str  # ids, with the mark of their source
    question: str
    verdict: str  # with what it was judged on, where that is not what the claim speaks of
    evidence: str
    exhibit: str  # that shows the evidence, by name; one of the report's
    label: str  # of the link


def lines(made: Iterable[Exhibit]) -> tuple[Line, ...]:
    """One for each claim of the exhibit `claims`; none where the report has no such exhibit."""
    by_name = {exhibit.name: exhibit for exhibit in made}
    table = by_name[CLAIMS].table if CLAIMS in by_name else None
    if table is None:
        return ()
    found = {row.cells["claim"]: row.cells for row in table.rows}
    return tuple(_line(cells, by_name) for cells in found.values())


def on_this_tier(table: Table | None) -> bool:
    """Whether any claim is judged on other data than its own."""
    return table is not None and any(row.cells["on_this_tier"] for row in table.rows)


def not_run(table: Table | None) -> str:
    """How many parts of claims were not run, as the table of claims counts them; empty where none."""
    rows: list[Mapping[str, Any]] = [row.cells for row in table.rows] if table else []
    absent = [cells for cells in rows if cells.get("says") == "not-run"]
    parts = sum(cells["parts"] or 0 for cells in absent)
    claims = len({cells["claim"] for cells in absent if cells["parts"]})
    return f"{parts} parts of {claims} claims were not run, with reasons there: most were not planned." if parts else ""


def _line(cells: Mapping[str, Any], by_name: Mapping[str, Exhibit]) -> Line:
    shown = by_name.get(cells["exhibit"], by_name[CLAIMS])
    ids = cells["claim"] + cells["mark"]
    return Line(ids, cells["question"], cells["verdict_where"], cells["brief"], shown.name, shown.label)
