"""What a study says to the three questions that everybody asks first, from its tables: one sentence each.

Each answer counts the pairs of model and dataset in which the 95 % interval of a difference lies above zero, and names
them all with their intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from audioprune.tables._table import Cell, Row, Table, number

Found = tuple[str, str, float, Cell]  # model, dataset, keep-rate, difference


@dataclass(frozen=True)
class Answer:
    question: str
    text: str
    exhibit: str  # that shows it, by name; one of the report's
    label: str  # of the link


@dataclass(frozen=True)
class Asked:
    exhibit: str
    question: str  # with a place for the keep-rate
    above: str  # what an interval above zero means
    differences: Callable[[Table], Iterable[Found]]


def answers(made) -> tuple[Answer, ...]:
    """Of the report's exhibits; a question without its table, or without any difference in it, is left out."""
    tables = {exhibit.name: exhibit for exhibit in made if exhibit.table}
    asked = ((one, tables[one.exhibit]) for one in QUESTIONS if one.exhibit in tables)
    found = (_answer(one, exhibit, _lowest(one.differences(exhibit.table))) for one, exhibit in asked)
    return tuple(filter(None, found))


def _lowest(found: Iterable[Found]) -> list[Found]:
    """At the lowest keep-rate of all."""
    found = [one for one in found if one[3].value is not None and one[3].low is not None]
    rate = min((one[2] for one in found), default=0)
    return [one for one in found if one[2] == rate]


def _answer(asked: Asked, exhibit, found: list[Found]) -> Answer | None:
    if not found:
        return None
    clear, reverse = (sum(test(cell) for *_, cell in found) for test in (lambda c: c.low > 0, lambda c: c.high < 0))
    said = "Yes" if clear == len(found) else "Not shown" if not clear else f"In {clear} of {len(found)} cases"
    if reverse:
        said += f", and the reverse in {reverse}" if clear else f"; the reverse in {reverse} of {len(found)} cases"
    shown = "; ".join(f"{model} on {dataset} {_interval(cell)}" for model, dataset, _, cell in found)
    text = f"{said}. {asked.above}: {shown}."
    return Answer(
        asked.question.format(rate=f"{found[0][2]:g}"), text, exhibit.name, exhibit.heading.partition(": ")[0]
    )


def _interval(cell: Cell) -> str:
    return f"{number(cell.value, 1)} [{number(cell.low, 1)}, {number(cell.high, 1)}]"


def _drops(table: Table) -> Iterable[Found]:
    for row in table.rows:
        if row.cells["method"] == "topk" and isinstance(row.cells.get("drop"), Cell):
            yield _found(row, "drop")


def _below_attention(table: Table) -> Iterable[Found]:
    for row in table.rows:
        if row.cells["method"] == "intensity.fixed" and isinstance(row.cells.get("below"), Cell):
            yield _found(row, "below")


def _more_than_ast(table: Table) -> Iterable[Found]:
    for row in table.rows:
        own = row.cells["method"] == "topk" and row.cells["backbone"].startswith("ast-") and row.cells["score"] == "cls"
        if own and isinstance(row.cells.get("low_of_kept_difference"), Cell):
            yield _found(row, "low_of_kept_difference")


def _found(row: Row, name: str) -> Found:
    return row.cells["backbone"], row.cells["dataset"], row.cells["keep_rate"], row.cells[name]


QUESTIONS = (
    Asked("table1", "Does pruning by attention at keep-rate {rate} cost accuracy?", "Points lost", _drops),
    Asked(
        "ranking",
        "Is ranking by intensity, once fixed, worse than by attention at keep-rate {rate}?",
        "Points below attention",
        _below_attention,
    ),
    Asked(
        "low-intensity",
        "Does AudioMAE keep more low-intensity tokens than AST at keep-rate {rate}?",
        "Their share of what is kept, in points above that of",
        _more_than_ast,
    ),
)
