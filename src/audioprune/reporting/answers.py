"""What a study says to the three questions that everybody asks first, from its tables: one sentence each.

Each answer counts the pairs of model and dataset in which the 95 % interval of a difference lies above zero, and names
them all with their intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from audioprune import registry
from audioprune.tables._table import Cell, Row, Table
from audioprune.wording import number

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


def answers(made, chance: Mapping[str, float]) -> tuple[Answer, ...]:
    """Of the report's exhibits; a question without its table, or without any difference in it, is left out.

    chance: accuracy of guessing, in percent, by dataset; models no better than that are named.
    """
    tables = {exhibit.name: exhibit for exhibit in made if exhibit.table}
    asked = ((one, tables[one.exhibit]) for one in QUESTIONS if one.exhibit in tables)
    found = (_answer(one, exhibit, _lowest(one.differences(exhibit.table))) for one, exhibit in asked)
    told = _guessing(tables["table1"].table, chance) if "table1" in tables else ""
    return tuple(replace(one, text=one.text + told * (one.exhibit == "table1")) for one in found if one)


def _guessing(table: Table, chance: Mapping[str, float]) -> str:
    """A sentence on unpruned models whose interval holds the accuracy of guessing; empty where none does."""
    unpruned = [row.cells for row in table.rows if row.cells["method"] == "none" and row.cells["dataset"] in chance]
    guess = {
        f"{own['backbone']} on {own['dataset']} ({number(chance[own['dataset']], 0)} %)": None
        for own in unpruned
        if own["accuracy"].low is not None and own["accuracy"].low <= chance[own["dataset"]]
    }
    return f" No better than chance even unpruned, so that nothing follows: {', '.join(guess)}." if guess else ""


def _lowest(found: Iterable[Found]) -> list[Found]:
    """At the lowest keep-rate of all."""
    found = [one for one in found if one[3].value is not None and one[3].low is not None]
    rate = min((one[2] for one in found), default=0)
    return [one for one in found if one[2] == rate]


def _answer(asked: Asked, exhibit, found: list[Found]) -> Answer | None:
    if not found:
        return None
    clear, reverse = (sum(test(cell) for *_, cell in found) for test in (lambda c: c.low > 0, lambda c: c.high < 0))
    said = (
        "Yes"
        if clear == len(found)
        else "Not shown: no interval lies above zero"
        if not clear
        else f"In {clear} of {len(found)} cases"
    )
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
        if row.cells["method"] == "intensity" and isinstance(row.cells.get("below"), Cell):
            yield _found(row, "below")


def _more_than_ast(table: Table) -> Iterable[Found]:
    for row in table.rows:
        family = registry.backbone(row.cells["backbone"]).family.name
        own = row.cells["method"] == "topk" and family == "ast" and row.cells["score"] == "cls"
        if own and isinstance(row.cells.get("low_of_kept_difference"), Cell):
            yield _found(row, "low_of_kept_difference")


def _found(row: Row, name: str) -> Found:
    return row.cells["backbone"], row.cells["dataset"], row.cells["keep_rate"], row.cells[name]


QUESTIONS = (
    Asked(
        "table1",
        "Does pruning by attention at keep-rate {rate} cost accuracy?",
        "Points lost (negative: gained)",
        _drops,
    ),
    Asked(
        "ranking",
        "Is ranking by intensity worse than by attention at keep-rate {rate}?",
        "Points below attention (negative: above)",
        _below_attention,
    ),
    Asked(
        "low-intensity",
        "Does AudioMAE keep more low-intensity tokens than AST at keep-rate {rate}?",
        "Their share of AudioMAE's kept tokens minus that of AST's, in points",
        _more_than_ast,
    ),
)
