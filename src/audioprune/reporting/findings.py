"""What a report says first: a few findings in plain words, each with its numbers and where they are shown.

What the printed numbers of the withdrawn version are, what quoted savings are, what pruning costs in this study, and
what it says on the open questions; where a study has none of these, the first answers that its tables give.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.headline import Rows
from audioprune.exhibits.table import CLEAR, Cell
from audioprune.forensics.null_model import LARGEST
from audioprune.reporting import open_questions
from audioprune.reporting.answers import COMPETENCE, JUDGED, Answer, learnt, left_out
from audioprune.statistics.holm import holm
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.reporting.content import Exhibit

DIAGONAL, CLAIMS, COSTS, FOREST = "diagonal", "claims", "table1", "cost-forest"
MOST = 3  # where answers stand in
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Finding:
    title: str  # the finding, as a sentence without its stop
    text: str
    exhibit: str  # that shows it, by name; one of the report's
    label: str  # of the link


def findings(made: Iterable[Exhibit], answers: Sequence[Answer], tier: str = "") -> tuple[Finding, ...]:
    by_name = {one.name: one for one in made}
    of_paper = [one for one in (_random(by_name), _misread(by_name)) if one]
    own = [one for one in (_cost(by_name, tier), *_open(by_name)) if one]
    others = [] if own else [Finding(one.question, one.text, one.exhibit, one.label) for one in answers]
    return (*of_paper, *own, *others[: MOST - len(of_paper)])


def _open(by_name: Mapping[str, Exhibit]) -> Iterator[Finding]:
    """On the open questions that the study judges, of models that have learnt enough."""
    models, claims = (_rows(by_name, name) for name in (COMPETENCE, CLAIMS))
    for asked in open_questions.ASKED:
        rows = [row for row in _rows(by_name, asked.exhibit) if learnt(row, models)]
        if found := open_questions.told(asked, rows, claims):
            yield Finding(*found, asked.exhibit, by_name[asked.exhibit].label)


def _rows(by_name: Mapping[str, Exhibit], name: str) -> Rows:
    """The cells of an exhibit's rows; none where the report has no such table."""
    shown = by_name.get(name)
    return [row.cells for row in shown.table.rows] if shown and shown.table else []


def _random(by_name: Mapping[str, Exhibit]) -> Finding | None:
    """That printed shares of kept signal are what a selection blind to the signal gives."""
    if not (shown := by_name.get(DIAGONAL)):
        return None
    series: dict[str, list[float]] = {}
    for row in csv.DictReader(io.StringIO(shown.csv)):
        series.setdefault(row["series"], []).append(float(row["excess"]))
    blind = [off for own in series.values() if max(map(abs, own)) <= LARGEST for off in own]
    others = {name: own for name, own in series.items() if max(map(abs, own)) > LARGEST}
    if not blind:
        return None
    beside = "".join(f" Those of {name} rise up to {max(own):.1f} points above it." for name, own in others.items())
    text = (
        f"In the withdrawn ICLR version, all {len(blind)} printed shares of signal tokens that AudioMAE keeps lie "
        f"within {max(map(abs, blind)):.1f} points of the share of all tokens that are kept, as if the labels had been "
        f"shuffled.{beside} Printed numbers alone; no training."
    )
    return Finding(
        "The published token analysis of AudioMAE is what random selection would give", text, shown.name, shown.label
    )


def _misread(by_name: Mapping[str, Exhibit]) -> Finding | None:
    """That quoted savings are what remains."""
    shown = by_name.get(CLAIMS)
    rows = {cells["claim"]: cells for cells in _rows(by_name, CLAIMS)}
    wrong = [cells for cells in rows.values() if cells["verdict"] == "misstated" and cells.get("remains") is not None]
    if not shown or not wrong:
        return None
    least, most = (f(float(cells["remains"]) for cells in wrong) for f in (min, max))
    many = WORDS[len(wrong)] if len(wrong) < len(WORDS) else str(len(wrong))
    title = f"{many.capitalize()} quoted MAC savings are what remains, not what is saved"
    text = (
        f"Drafts that cite the paper quote reductions of {least:.1f} to {most:.1f} % of the MACs. Against exact "
        f"counts, that is the share that is left: about {100 - most:.0f} to {100 - least:.0f} % is saved."
    )
    return Finding(title, text, shown.name, shown.label)


def _cost(by_name: Mapping[str, Exhibit], tier: str) -> Finding | None:
    """What attention-ranked pruning at the lowest keep-rate costs the models that have learnt enough."""
    costs, models = by_name.get(COSTS), _rows(by_name, COMPETENCE)
    if not costs or not costs.table:
        return None
    every: list[Mapping[str, Any]] = [row.cells for row in costs.table.rows]
    rows = [cells for cells in every if cells["method"] == "topk" and _tested(cells.get("drop"))]
    rows = [cells for cells in rows if learnt(cells, models)]
    rate = min((cells["keep_rate"] for cells in rows), default=0)
    rows = [cells for cells in rows if cells["keep_rate"] == rate]
    if not rows:
        return None
    adjusted = holm([cells["drop"].p for cells in rows])
    loses = [cells for cells, p in zip(rows, adjusted, strict=True) if p <= CLEAR and cells["drop"].value > 0]
    said = "no measurable accuracy" if not loses else f"accuracy in {len(loses)} of {len(rows)} models"
    where = JUDGED.get(tier, "")
    title = f"{where[:1].upper()}{where[1:]}{', p' if where else 'P'}runing to keep-rate {rate:g} costs {said}"
    shown = by_name.get(FOREST) or costs
    saved = [cells["mac_reduction"] for cells in rows]
    others = [cells for cells in rows if cells not in loses]
    out = left_out(models)
    told = [f"TopK saves {_span(saved, 0)} % of the MACs.", _changes(loses), _range(others, bool(loses))]
    text = " ".join(filter(None, (*told, f"Left out: {out}" if out else "")))
    return Finding(title, text, shown.name, shown.label)


def _tested(cell: Any) -> bool:
    return isinstance(cell, Cell) and None not in (cell.value, cell.low, cell.high, cell.p)


def _changes(rows: Sequence[Mapping[str, Any]]) -> str:
    """'Below zero after Holm's adjustment: −4.5 points [−7.6, −1.4] for ast-tiny on esc10.': pruned minus unpruned."""
    said = []
    for cells in rows:
        drop = cells["drop"]
        change, low, high = (number(-end, 1, signed=True) for end in (drop.value, drop.high, drop.low))
        said.append(f"{change} points [{low}, {high}] for {cells['backbone']} on {cells['dataset']}")
    return f"Below zero after Holm's adjustment: {'; '.join(said)}." if said else ""


def _range(rows: Sequence[Mapping[str, Any]], others: bool) -> str:
    """What is not below zero after the adjustment, from where to where, and how far its intervals reach."""
    if not rows:
        return ""
    drops = [cells["drop"] for cells in rows]
    least, most = (f(-one.value for one in drops) for f in (min, max))
    low, high = min(-one.high for one in drops), max(-one.low for one in drops)
    said = [number(end, 1, signed=True) for end in (least, most, low, high)]
    which = f"In {'the other' if others else 'all'} {len(rows)}" if len(rows) > 1 else f"In the {'other ' * others}one"
    excluded = f", so that losses of up to {-low:.1f} are not excluded" if low < 0 else ""
    return (
        f"{which}, changes from {said[0]} to {said[1]} points are not below zero after Holm's adjustment; their 95 % "
        f"intervals, each for itself, reach from {said[2]} to {said[3]}{excluded}."
    )


def _span(values: Sequence[float], decimals: int) -> str:
    low, high = number(min(values), decimals), number(max(values), decimals)
    return low if low == high else f"{low} to {high}"
