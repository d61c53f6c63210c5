"""What a report says first on the two open questions: pruning by content against uniform retention, and noise.

One finding for each, of the table that judges it (results.speech_rule, results.noise_rule): in how many comparisons the
answer is yes, the differences with their intervals, and the verdict on the cost that matters beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audioprune.exhibits.headline import Rows
from audioprune.exhibits.table import Cell
from audioprune.wording import listed, number

NAMED = 4  # comparisons of one verdict up to which each is named
DECIDED = ("supported", "partly", "refuted")


@dataclass(frozen=True)
class Asked:
    exhibit: str  # that judges it
    of: Mapping[str, str]  # {key: value} of its rows that count
    difference: str  # key of cells, in points
    all: str  # the finding where every comparison supports it
    some: str  # where {yes} of {n} do
    none: str  # where none does
    what: str  # is subtracted from what
    claim: str  # whose verdict stands beside it
    beside: str  # what that claim asks


ASKED = (
    Asked(
        "wer-contrasts",
        {"question": "which", "counts": "yes"},
        "difference",
        "At equal token counts, keeping tokens by attention beats keeping them uniformly in word error rate",
        "At equal token counts, keeping tokens by attention beats keeping them uniformly in word error rate in {yes} "
        "of {n} comparisons",
        "At equal token counts, keeping tokens by attention is not shown to beat keeping them uniformly in word error "
        "rate",
        "Its word error rate minus that of the best uniform policy, in points",
        "RQ1-c",
        "That it saves more MACs before errors rise by a tenth",
    ),
    Asked(
        "robustness",
        {"question": "degrades"},
        "interaction",
        "Noise costs models that were trained with pruning more than the unpruned ones",
        "Noise costs {yes} of {n} models that were trained with pruning more than the unpruned ones",
        "Noise is not shown to cost models that were trained with pruning more than the unpruned ones",
        "What noise costs a pruned model minus what it costs the unpruned one, in points of accuracy",
        "RQ2-c",
        "That a pruned model loses more at the fastest point that keeps clean accuracy",
    ),
)


def told(asked: Asked, rows: Rows, claims: Rows) -> tuple[str, str] | None:
    """(the finding as a sentence without its stop, its numbers) of an exhibit's rows; None where none was judged."""
    judged = [row for row in rows if _counts(asked, row)]
    if not judged:
        return None
    yes, n = sum(row["verdict"] == "supported" for row in judged), len(judged)
    title = asked.all if yes == n else asked.some.format(yes=yes, n=n) if yes else asked.none
    where = next((str(row["verdict_where"]) for row in claims if row.get("claim") == asked.claim), "")
    beside = f" {asked.beside}: {where}." if where else ""
    return title, f"{asked.what}: {'; '.join(_verdicts(asked, judged))}.{beside}"


def _counts(asked: Asked, row: Mapping[str, Any]) -> bool:
    cell = row.get(asked.difference)
    there = isinstance(cell, Cell) and None not in (cell.value, cell.low, cell.high)
    return there and bool(row.get("verdict")) and all(row.get(key) == value for key, value in asked.of.items())


def _verdicts(asked: Asked, judged: Rows) -> Iterator[str]:
    """'refuted for ast-tiny on esc10 at 0.5 (+0.2 [−0.4, +0.8]: no loss that matters)', 'inconclusive in 7, ...'."""
    for verdict in dict.fromkeys((*DECIDED, *(str(row["verdict"]) for row in judged))):
        own = [row for row in judged if row["verdict"] == verdict]
        if len(own) == 1 or (own and verdict in DECIDED and len(own) <= NAMED):
            yield f"{verdict} for {listed(_named(row, row[asked.difference]) for row in own)}"
        elif own:
            yield f"{verdict} in {len(own)}, {_spread([row[asked.difference] for row in own])}"


def _named(row: Mapping[str, Any], cell: Cell) -> str:
    low, value, high = (number(float(end or 0), 1, signed=True) for end in (cell.low, cell.value, cell.high))
    model, why = row.get("recogniser") or row["backbone"], f": {row['told']}" if row.get("told") else ""
    return f"{model} on {row['dataset']} at {row['keep_rate']:g} ({value} [{low}, {high}]{why})"


def _spread(cells: Sequence[Cell]) -> str:
    lows, values, highs = ([float(getattr(cell, end)) for cell in cells] for end in ("low", "value", "high"))
    ends = (min(values), max(values), min(lows), max(highs))
    least, most, low, high = (number(end, 1, signed=True) for end in ends)
    return f"from {least} to {most}, with 95 % intervals that reach from {low} to {high}"
