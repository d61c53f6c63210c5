"""Ranking against uniform retention: which tokens, how many, and what can be saved (research question 1)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.headline import Sentence
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results import retention
from audioprune.results.estimate import Absent
from audioprune.results.speech_rule import LEAST, SHARE
from audioprune.tables._rows import KEEP_RATE, UNTESTED, cell_of
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.exhibits.headline import Rows
    from audioprune.results.retention import Compared
    from audioprune.results.study import Results

TITLE = "Ranking against uniform retention, in word error rate"
CAPTION = (
    "Which tokens: a policy that looks at its tokens minus the best one that does not (stride or pool), at the same "
    "number of tokens at the same blocks; below zero, looking pays. How many: a number that varies by clip minus a "
    "fixed share, on the same weights at the same cost; below zero, varying pays. Savings: points of MACs saved before "
    "the error rate passes 1.1 times the unpruned one, minus the most that any uniform policy saves, a lower frame "
    "rate from the start among them; above zero, ranking pays."
)
PUBLISHED = ("speech",)
NOTES = (
    "What has to be chosen, the static policy or a threshold, is chosen on half of the speakers and judged on the "
    "others, and the reverse. Intervals: 95 %, percentiles of a bootstrap over speakers; p: exact permutation of "
    "speakers, of savings by the draws; Holm's adjustment over the rows of one question and one test set that count. "
    "Beside them, for comparison with other work: p of matched pairs of sentences (MAPSSWE; fifty at least), and the "
    "probability of improvement, the share of draws in which the first is better.",
    f"A difference matters from the larger of {LEAST:g} points and {100 * SHARE:g} % of the unpruned error rate on. "
    "Supported: better, and p is at most 0.05. Refuted: worse, and p is at most 0.05; or the interval lies within what "
    "does not matter. Inconclusive: all else. In this order.",
    "What counts was fixed beforehand: topk; of Whisper off the shelf, within the sound, block 2, at half and a "
    "quarter of the tokens; of recognisers with a CTC head adapted, at 0.7 and 0.5. All else stands beside and is not "
    "adjusted.",
    "Savings are read off straight lines between keep-rates, in every draw; in every draw the best uniform policy is "
    "taken, which favours the uniform side.",
)
UNITS = {"percent": " %", "pp": " points", "ratio": " times"}
QUESTIONS = {
    "which": "Which tokens (points of WER)",
    "how many": "How many (points of WER)",
    "savings": "Savings (points of MACs)",
}


def needs(study: Cells) -> list:
    return study.cells("transcribe")


def build(results: Results) -> Table:
    found = retention.compared(results)
    rows = [_row(one) for question in QUESTIONS for one in _in_order(found, question)]
    return Table(_columns(), tuple(rows), (*NOTES, _others(results)))


def _in_order(found: list[Compared], question: str) -> list[Compared]:
    """What counts first."""
    return sorted((one for one in found if one.question == question), key=lambda one: not one.counts)


def _row(one: Compared) -> Row:
    place, p, outcome = one.place, one.p, one.outcome
    cells: dict[str, Any] = {
        "question": one.question,
        "recogniser": place.recogniser,
        "dataset": place.dataset,
        "trained": place.trained,
        "within": place.within,
        "blocks": ", ".join(map(str, place.blocks)),
        "place": str(place),
        "policy": one.policy,
        "keep_rate": one.keep_rate,
        "against": one.against,
        "counts": "yes" if one.counts else "beside",
        "difference": cell_of(one.found),
    }
    if isinstance(one.found, Absent):
        return Row(cells, f"{QUESTIONS[one.question]}: {place}")
    if one.sides:
        cells |= dict(zip(("saved", "saved_uniform"), map(cell_of, one.sides), strict=True))
    cells |= {
        "margin": one.margin,
        "p": UNTESTED if p is None or p.alone is None else p.alone,
        "p_why": one.untested or None,
        "p_holm": p.adjusted if p and one.counts else None,
        "sentences": one.sentences if isinstance(one.sentences, float) else None,
        "sentences_why": one.sentences if isinstance(one.sentences, str) else None,
        "improvement": one.improvement,
        "calm": cell_of(one.without),
        "matched": one.unmatched or ("yes" if one.question == "how many" else None),
    }
    if outcome is not None:
        cells |= {"verdict": outcome.verdict, "told": outcome.told}
    return Row(cells, f"{QUESTIONS[one.question]}: {place}")


def _others(results: Results) -> str:
    """What other work says of sparing tokens, from its abstracts."""
    frame = results.published("speech")
    of = frame[frame["status"] == "abstract"]
    told = [
        f"{row.metric.replace('_', ' ')} {row.printed}{UNITS[row.unit]} ({row.note}; {row.where})"
        for row in of.itertuples()
    ]
    return f"Others report, of other models and data, in abstracts: {'; '.join(told)}. None of it is a target here."


def _columns() -> tuple[Column, ...]:
    return (
        Column("policy", "Policy", align="left"),
        KEEP_RATE,
        Column("against", "Against", align="left"),
        Column("counts", "Counts", align="left"),
        Column("difference", "Difference", "points", signed=True),
        Column("difference", "95 % interval", part="interval", signed=True),
        Column("margin", "Matters from", "points", 1, in_print=False),
        Column("p", "p", p=True),
        Column("p_holm", "p (Holm)", p=True),
        Column("sentences", "p, matched pairs", p=True, in_print=False),
        Column("improvement", "Probability of improvement", in_print=False),
        Column("calm", "Without runaways", "points", signed=True, in_print=False),
        Column("matched", "Cost matched", align="left", in_print=False),
        Column("saved", "Saved", "% of MACs", 1, in_print=False),
        Column("saved_uniform", "Saved, uniform", "% of MACs", 1, in_print=False),
        Column("verdict", "Verdict", align="left"),
        Column("told", "Why", align="left", wrap=True, in_print=False),
    )


# --- the first page ------------------------------------------------------------------------------------------------

ASKED = {
    "which": "At equal token counts, ranking by content lowers the word error rate in",
    "how many": "Letting the number of tokens vary by clip, at equal mean cost, lowers it in",
    "savings": "Before errors rise by a tenth, ranking saves more MACs than every uniform policy in",
}
OTHERS = ("refuted", "inconclusive")


def _said(rows: Rows) -> str:
    """One clause for each question, of what counts; nothing where no row was run."""
    counting = [row for row in rows if row.get("counts") == "yes"]
    clauses = [_clause(question, [row for row in counting if row["question"] == question]) for question in QUESTIONS]
    return " ".join(filter(None, clauses)) if any(row.get("verdict") for row in counting) else ""


def _clause(question: str, rows: Rows) -> str:
    judged = [row for row in rows if row.get("verdict")]
    if not judged:
        why = next((_why(row) for row in rows), "the study has no such comparison")
        return f"{ASKED[question].removesuffix(' in')}: not judged ({why})."
    found = Counter(row["verdict"] for row in judged)
    others = ", ".join(f"{found[verdict]} {verdict}" for verdict in OTHERS if found[verdict])
    shown = "; ".join(f"{_of(row)} {_interval(row['difference'])}" for row in judged)
    counted = f"{found['supported']} of {len(judged)} comparisons{f' ({others})' if others else ''}"
    return f"{ASKED[question]} {counted}: {shown} points."


def _why(row: Any) -> str:
    cell = row["difference"]
    return cell.why if isinstance(cell, Cell) and cell.why else str(row.get("matched") or "no verdict")


def _of(row: Any) -> str:
    rate = "" if row["keep_rate"] is None else f" at {row['keep_rate']:g}"
    return f"{row['recogniser']} on {row['dataset']}{rate}"


def _interval(cell: Any) -> str:
    ends = ", ".join(number(end, 1, signed=True) for end in (cell.low, cell.high) if end is not None)
    return number(cell.value, 1, signed=True) + (f" [{ends}]" if ends else "")


HEADLINE = Sentence(
    question="Does pruning by content beat keeping tokens uniformly, in word error rate at equal cost?", said=_said
)
