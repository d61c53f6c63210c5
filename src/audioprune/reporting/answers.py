"""What a study says to the questions that its tables bring along (exhibits.headline): one sentence each.

Each answer counts the pairs of model and dataset in which a difference lies above zero at 5 %, adjusted by Holm for all
that the answer rests on, and names them all with their intervals, and the tier of data they stand on. Of one alone it
is whether its interval does. Models that have not learnt enough (the exhibit `competence`) are in no answer, and are
listed once, at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.headline import Question, Rows, Sentence
from audioprune.exhibits.table import CLEAR, Cell
from audioprune.statistics.holm import holm
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.reporting.content import Exhibit

COMPETENCE = "competence"  # the exhibit that says which models have learnt
JUDGED = {
    "synthetic": "on synthetic audio",
    "real miniature": "on real audio in miniature",
    "published": "at full size",
}
LEFT_OUT = "Which models are left out of all answers and verdicts?"


@dataclass(frozen=True)
class Answer:
    question: str
    text: str
    exhibit: str  # that shows it, by name; one of the report's
    label: str  # of the link

    @property
    def short(self) -> str:
        """Its first clause: up to a full stop or a colon between words."""
        return re.split(r"(?<=[.:]) ", self.text, maxsplit=1)[0].removesuffix(":")


@dataclass(frozen=True)
class Found:
    """A difference with its interval, and what it is of."""

    backbone: str
    against: str  # the model that it is subtracted from, if another
    dataset: str
    keep_rate: float
    value: float
    low: float
    high: float
    p: float

    @property
    def name(self) -> str:
        of_two = f"{self.against} minus {self.backbone}" if self.against else self.backbone
        return f"{of_two} on {self.dataset}"


def answers(made: Iterable[Exhibit], tier: str = "") -> tuple[Answer, ...]:
    """In the order of the report's exhibits; a question whose table has no difference is left out."""
    made = [*made]
    known = next((one for one in made if one.name == COMPETENCE and one.table), None)
    models = [row.cells for row in known.table.rows] if known and known.table else []
    asked = ((one, one.headline, one.table.rows) for one in made if one.headline and one.table)
    found = [
        _answer(one, headline, [row.cells for row in rows if learnt(row.cells, models)], JUDGED.get(tier, ""))
        for one, headline, rows in asked
    ]
    return tuple(filter(None, [*found, _left_out(known, models) if known else None]))


def learnt(row: Mapping[str, Any], models: Rows) -> bool:
    """Whether all models of a row have learnt enough: those of its recipe, or of any where the row's is not known."""
    for backbone in filter(None, (row.get("backbone"), row.get("against"))):
        own = [one for one in models if (one["backbone"], one["dataset"]) == (backbone, row.get("dataset"))]
        alike = [one for one in own if one["variant"] == row.get("variant")]
        if any(one["outcome"] == "left out" for one in alike or own):
            return False
    return True


def _left_out(known: Exhibit, models: Rows) -> Answer | None:
    """Listed once; None where all have learnt."""
    text = left_out(models)
    return Answer(LEFT_OUT, text, known.name, known.label) if text else None


def left_out(models: Rows) -> str:
    """The models that have not learnt enough, in a sentence; empty where all have."""
    out = [one for one in models if one["outcome"] == "left out"]
    told = [one["said"] + (f", {one['variant']}" if one["variant"] else "") for one in out]
    many = f"{len(out)} of {len(models)}, which unpruned have not learnt enough"
    return f"{many}: {'; '.join(told)}." if out else ""


def _differences(asked: Question, rows: Rows) -> Iterator[Found]:
    """All that can be tested."""
    for row in rows:
        cell = row.get(asked.difference)
        if not isinstance(cell, Cell) or any(row.get(key) != value for key, value in asked.of.items()):
            continue
        if cell.value is not None and cell.low is not None and cell.high is not None and cell.p is not None:
            what = row["backbone"], row.get("against") or "", row["dataset"], row["keep_rate"]
            yield Found(*what, cell.value, cell.low, cell.high, cell.p)


def _lowest(found: Sequence[Found]) -> list[Found]:
    """Those at the lowest keep-rate of all."""
    rate = min((one.keep_rate for one in found), default=0)
    return [one for one in found if one.keep_rate == rate]


def _answer(exhibit: Exhibit, asked: Question | Sentence, rows: Rows, judged: str) -> Answer | None:
    if isinstance(asked, Sentence):
        told = " ".join(filter(None, (asked.said(rows), f"Judged {judged}." if judged else "")))
        return Answer(asked.question, told, exhibit.name, exhibit.label) if asked.said(rows) else None
    found = _lowest([*_differences(asked, rows)])
    if not found:
        return None
    beyond = [one.value for one, p in zip(found, holm([one.p for one in found]), strict=True) if p <= CLEAR]
    clear, reverse = sum(value > 0 for value in beyond), sum(value < 0 for value in beyond)
    said = (
        "Yes"
        if clear == len(found)
        else "Not measurably: no such difference is beyond chance"
        if not clear
        else f"In {clear} of {len(found)} cases"
    )
    if reverse:
        said += f", and the reverse in {reverse}" if clear else f"; the reverse is in {reverse} of {len(found)} cases"
    said += f", {judged}" if judged else ""
    shown = "; ".join(f"{one.name} {_interval(one, -1 if asked.turned else 1)}" for one in found)
    family = f"Adjusted by Holm for these {len(found)}." if len(found) > 1 else ""
    sentences = (f"{said}.", f"{asked.above}: {shown}.", family, asked.caution(rows))
    question = asked.question.format(rate=f"{found[0].keep_rate:g}")
    return Answer(question, " ".join(filter(None, sentences)), exhibit.name, exhibit.label)


def _interval(one: Found, sign: int) -> str:
    low, high = sorted((sign * one.low, sign * one.high))
    return f"{number(sign * one.value, 1, signed=True)} [{number(low, 1, signed=True)}, {number(high, 1, signed=True)}]"
