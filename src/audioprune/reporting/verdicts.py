"""What a report opens with: every claim as a question, its verdict, its evidence in one line, and where it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audioprune.tables._table import Table

CLAIMS = "claims"  # the exhibit that holds them


@dataclass(frozen=True)
class Line:
    claim: str  # ids, with the mark of their source
    question: str
    verdict: str
    evidence: str
    exhibit: str  # that shows the evidence, by name; one of the report's
    label: str  # of the link


def lines(made: Sequence) -> tuple[Line, ...]:
    """One for each claim of the exhibit `claims`; none where the report has no such exhibit."""
    headings = {exhibit.name: exhibit.heading for exhibit in made}
    table = next((exhibit.table for exhibit in made if exhibit.name == CLAIMS), None)
    if table is None:
        return ()
    found = {row.cells["claim"]: (row.group, row.cells) for row in table.rows}
    return tuple(_line(group, cells, headings) for group, cells in found.values())


def on_this_tier(table: Table | None) -> bool:
    """Whether any claim is judged on other data than its own."""
    return table is not None and any(row.cells["on_this_tier"] for row in table.rows)


def _line(group: str, cells: dict, headings: dict[str, str]) -> Line:
    shown = cells["exhibit"] if cells["exhibit"] in headings else CLAIMS
    label = headings[shown].partition(": ")[0]
    mark = group.removeprefix(cells["claim"]).partition(" ")[0]
    return Line(cells["claim"] + mark, cells["question"], cells["verdict"], cells["brief"], shown, label)
