"""Claim cards: every claim with its words, what is judged, its verdict and where, and the numbers behind it.

All is read from the rows of the exhibit `claims`. Cards stand by verdict; claims of one misreading are a group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Cell, Table
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.reporting.content import Exhibit

CLAIMS = "claims"  # the exhibit that holds them
MEANING = {  # verdicts in the order of the cards, and what each says
    "refuted": "the measurements show the contrary, beyond their noise",
    "partly": "true for some models, datasets or keep-rates, not for others",
    "supported": "what the measurements show, beyond their noise",
    "inconclusive": "an interval holds the threshold",
    "misstated": "the numbers are real and the wording is wrong",
    "superseded": "its authors have withdrawn the analysis it rests on",
    "open": "no verdict follows; the reason is said",
    "not-run": "what would decide it is not in this study",
}
WORDS = ("quoted", "judged", "expected")  # rows of the table that are words of the claim


@dataclass(frozen=True)
class Part:
    """What parts of a claim say that got one verdict on one basis."""

    basis: str
    verdict: str
    parts: str
    evidence: str
    value: str  # with its interval and unit
    p: str
    n: str
    cells: tuple[str, ...]  # paths of the cells it rests on


@dataclass(frozen=True)
class Card:
    id: str  # of its address
    claim: str  # ids, with the mark of their source
    question: str
    verdict: str
    where: str  # the verdict, with what it was judged on where that is not what the claim speaks of
    brief: str
    quote: str
    statement: str
    thresholds: str
    expected: str
    corrected: str
    parts: tuple[Part, ...]
    command: str
    exhibit: str  # that shows the evidence, by name; one of the report's
    label: str  # of the link


@dataclass(frozen=True)
class Group:
    """Claims of one verdict; `title` where they make one misreading and are folded into one."""

    verdict: str
    meaning: str
    title: str
    cards: tuple[Card, ...]


def groups(made: Iterable[Exhibit]) -> tuple[Group, ...]:
    """None where the report has no such exhibit."""
    by_name = {exhibit.name: exhibit for exhibit in made}
    table = by_name[CLAIMS].table if CLAIMS in by_name else None
    by_claim: dict[str, list[Mapping[str, Any]]] = {}
    for row in table.rows if table else ():
        by_claim.setdefault(str(row.cells["claim"]), []).append(row.cells)
    found: list[Group] = []
    for verdict, meaning in MEANING.items():
        own = [rows for rows in by_claim.values() if rows[0]["verdict"] == verdict]
        alike = [rows for rows in own if rows[0].get("remains") is not None]
        alike = alike if len(alike) > 1 else []
        title = f"{len(alike)} quoted MAC savings are the share that remains"
        for name, parted in ((title, alike), ("", [rows for rows in own if rows not in alike])):
            if parted:
                found.append(Group(verdict, meaning, name, tuple(_card(rows, by_name) for rows in parted)))
    return tuple(found)


def tally(groups: Iterable[Group]) -> dict[str, int]:
    """How many claims have each verdict."""
    found: dict[str, int] = {}
    for group in groups:
        found[group.verdict] = found.get(group.verdict, 0) + len(group.cards)
    return found


def not_run(table: Table | None) -> str:
    """How many parts of claims were not run, as the table of claims counts them; empty where none."""
    rows: list[Mapping[str, Any]] = [row.cells for row in table.rows] if table else []
    absent = [cells for cells in rows if cells.get("says") == "not-run"]
    parts = sum(cells["parts"] or 0 for cells in absent)
    claims = len({cells["claim"] for cells in absent if cells["parts"]})
    return f"{parts} parts of {claims} claims were not run, with reasons there: most were not planned." if parts else ""


def _card(rows: list[Mapping[str, Any]], by_name: Mapping[str, Exhibit]) -> Card:
    cells = rows[0]
    shown = by_name.get(cells["exhibit"], by_name[CLAIMS])
    return Card(
        id=f"claim-{cells['claim'].partition(',')[0]}",
        claim=cells["claim"] + cells["mark"],
        question=cells["question"],
        verdict=cells["verdict"],
        where=cells["verdict_where"],
        brief=cells["brief"],
        quote=cells["quote"],
        statement=cells["statement"],
        thresholds=cells["thresholds"],
        expected=": ".join(filter(None, (cells["expected"], cells["expected_why"]))),
        corrected=cells["corrected"],
        parts=tuple(_part(row) for row in rows if row["basis"] not in WORDS),
        command=cells["command"],
        exhibit=shown.name,
        label=shown.label,
    )


def _part(row: Mapping[str, Any]) -> Part:
    value, p = row["value"], row["p_holm"]
    shown = ""
    if isinstance(value, Cell) and value.value is not None:
        interval = None not in (value.low, value.high)
        between = f" [{number(value.low, 2)}, {number(value.high, 2)}]" if interval else ""  # type: ignore[arg-type]
        shown = f"{number(value.value, 2)}{between} {row['unit'] or ''}".strip()
    seeds = f", {row['seeds']} seed{'s' if row['seeds'] > 1 else ''}" if row["seeds"] else ""
    return Part(
        basis=row["basis"],
        verdict=row["says"],
        parts="" if row["parts"] is None else str(row["parts"]),
        evidence=row["all_parts"].replace(" | ", "; "),
        value=shown,
        p="" if p is None else f"{p:.2g}" if p >= 0.001 else "< 0.001",
        n=f"{row['clips']}{seeds}" if row["clips"] else "",
        cells=tuple(row["cells"].split()),
    )
