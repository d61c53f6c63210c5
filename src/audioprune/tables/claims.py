"""Claims and their verdicts on the study: what follows from published numbers, and what the study measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.claims.verdict import counts
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.tables._published import MARKS, STATUS

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.claims.claim import Claim
    from audioprune.claims.verdict import Judged, Part
    from audioprune.results.study import Results

TITLE = "Claims and their evidence"
CAPTION = (
    "Every claim, including those of P0 and of the two drafts that cite P2, with its verdict on this study. Below "
    "each stand its words, the statement that is judged with its thresholds, and the verdict that was expected before "
    "anything was run; then the evidence of the printed numbers (printed) and of the study's cells (measured). A row "
    "covers all parts of the claim that got the same verdict and shows the first of them. Rows marked “beside” are "
    "context and do not enter the verdict."
)
FILES = (("report/claims", "*.yaml"), ("report/published", "*.csv"))  # that its key depends on
PLUGINS = ("predicates", "forensics", "datasets", "backbones", "pruning")  # kinds of modules that it uses all of
NAMES = {"arithmetic": "printed", "cells": "measured"}
JUDGED = ("evaluate", "throughput", "tokens", "discard", "noisy", "durations", "transcribe", "pace")  # kinds of cells
BESIDE = ", beside"  # of parts that count for no verdict
UNITS = {"pp": "points"}
NOTES = (
    "Misstated: the numbers are real and the wording is wrong; the rows below are those of the corrected statement. "
    "Superseded: its authors have withdrawn the analysis it rests on. Inconclusive: an interval holds the threshold. "
    "Partly: true for some models, datasets or keep-rates. Open: no verdict, because the statement is true by "
    "construction, rests on too few points, or is not made by its source; what is measured is shown with the reason.",
    "A claim about a recipe is judged on models trained by it (P0's Table 6, or the released scripts) wherever its "
    "own data and size of model are there. Models that have not learnt enough are left out (table “What the unpruned "
    "models have learnt”).",
    "p, Holm: p-value against the threshold, adjusted for all contrasts that decide the claim's verdict. A contrast "
    "that its interval alone would decide, but whose adjusted p is above 0.05, is inconclusive.",
    "Measured values have 95 % intervals by a bootstrap over source recordings and seeds, with the same draws for all "
    "models; speed-ups have quartiles. n is the number of clips, for speed-ups of runs. A claim about datasets that "
    "the study does not have is judged on datasets of the same kind.",
)


def needs(study: Cells) -> list:
    """Whatever a predicate may ask for: evaluations, timings, token analyses, discards, noise, lengths, transcripts."""
    return [cell for kind in JUDGED for cell in study.cells(kind)]


def build(results: Results) -> Table:
    from audioprune.claims.ledger import judge_all

    judged = judge_all(results)
    rows = [row for one in judged for row in _rows(one)]
    return Table(_columns(), tuple(rows), NOTES, status=" ".join(f"Claims marked {m} are {STATUS[m]}" for m in STATUS))


def _rows(judged: Judged) -> list[Row]:
    """What is claimed and judged; then one row for each basis and verdict that parts of the claim got."""
    claim = judged.claim
    mark = MARKS.get(claim.sources[0].status, "")
    group = f"{', '.join(claim.ids)}{mark} {judged.verdict_where}: {claim.question}"
    found: dict[tuple, list] = {}
    for part in judged.parts:
        found.setdefault((part.basis, part.counted, part.verdict), []).append(part)
    common = {
        "claim": ", ".join(claim.ids), "mark": mark,
        "question": claim.question, "verdict": judged.verdict, "verdict_where": judged.verdict_where,
        "brief": judged.brief, "on_this_tier": "" if judged.own_data else "on this tier", "judged_on": judged.judged_on,
        "quote": _quoted(claim), "statement": _line(claim.statement), "thresholds": claim.thresholds,
        "expected": claim.expected, "expected_why": _line(claim.expected_why), "profile": claim.profile,
        "remains": _remains(judged), "corrected": judged.corrected, "corrected_verdict": judged.corrected_verdict or "",
        "exhibit": judged.shown_in, "command": judged.command,
    }  # fmt: skip
    said = [Row(common | words, group) for words in _said(common)]
    return said + [
        Row(common | _row(basis, counted, verdict, parts), group) for (basis, counted, verdict), parts in found.items()
    ]


def _remains(judged: Judged) -> float | None:
    """Percent of the MACs that a claim calls saved and that remain; None of all other claims."""
    macs = judged.found.get("macs")
    return float(macs.value) if macs is not None and "macs" in judged.misread and macs.unit == "pct_remaining" else None


def _said(common: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of words: the quote, the statement with its thresholds, what was expected."""
    judged = common["statement"] + (f" Thresholds: {common['thresholds']}." if common["thresholds"] else "")
    expected = ": ".join(filter(None, (common["expected"], common["expected_why"])))
    words = {"quoted": common["quote"], "judged": judged, "expected": expected}
    return [{"basis": name, "evidence": text} for name, text in words.items()]


def _quoted(claim: Claim) -> str:
    """'“…” (P0, section 5.1)'; a quote of several rows once, with all their places."""
    places: dict[str, list[str]] = {}
    for source in claim.sources:
        places.setdefault(_line(source.quote), []).append(f"{source.document}, {source.where}")
    return " ".join(f"“{quote}” ({'; '.join(where)})" for quote, where in places.items())


def _line(text: str) -> str:
    return " ".join(text.split())


def _row(basis: str, counted: bool, verdict: str, parts: list[Part]) -> dict[str, Any]:
    first = parts[0]
    more = f"; and {len(parts) - 1} more" if len(parts) > 1 else ""
    return {
        "basis": NAMES[basis] + ("" if counted else BESIDE),
        "says": verdict,
        "parts": counts(parts).get(verdict),
        "value": Cell(first.value, first.low, first.high) if first.value is not None and basis == "cells" else None,
        "unit": UNITS.get(first.unit, first.unit) if first.value is not None and basis == "cells" else None,
        "p": first.p,
        "p_holm": first.holm,
        "clips": first.n or None,
        "seeds": first.seeds or None,
        "only_first": first.changed[0] if first.changed else None,
        "only_second": first.changed[1] if first.changed else None,
        "evidence": f"{first.name}: {first.evidence}{more}",
        "all_parts": " | ".join(f"{part.name}: {part.evidence}" for part in parts),
        "cells": " ".join(dict.fromkeys(cell for part in parts for cell in part.cells)),
    }


def _columns() -> tuple[Column, ...]:
    return (
        Column("basis", "Basis", align="left"),
        Column("says", "Says", align="left"),
        Column("parts", "Parts", decimals=0),
        Column("evidence", "Evidence", align="left", wrap=True),
        Column("value", "Value"),
        Column("value", "95 % interval", part="interval"),
        Column("unit", "Unit", align="left"),
        Column("p_holm", "p, Holm", p=True),
        Column("clips", "n", decimals=0),
        Column("seeds", "Seeds", decimals=0),
    )
