"""What a table answers in its section of the report: a question, and where in the table's rows its answer is.

A table's module declares `HEADLINE = Question(...)`, or a Sentence of its own, and every report that shows the table
asks it. All is read from the cells of rows, by key: headings are for readers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rows = Sequence[Mapping[str, Any]]  # the cells of each row, by key


def _none(rows: Rows) -> str:
    return ""


@dataclass(frozen=True)
class Sentence:
    """What a table answers in its own words."""

    question: str
    said: Callable[[Rows], str]  # of all rows; nothing where they do not answer


@dataclass(frozen=True)
class Question:
    """Asked of the rows at the lowest keep-rate: how many differences lie above zero, adjusted for how many there are?

    These rows have `backbone`, `dataset`, `keep_rate` and may have `variant` besides the difference, whose key says
    what is subtracted from what; `against` names the other model, where the difference is one of two.
    """

    question: str  # with a place for the {rate}
    above: str  # what is above zero where the answer is yes, and its unit
    difference: str  # key of cells
    of: Mapping[str, str]  # {key: value} of the rows that are asked
    turned: bool = False  # shown with the other sign: as the change, where the difference is a loss
    caution: Callable[[Rows], str] = _none  # of the rows that count: a sentence on what the answer rests on, or nothing
