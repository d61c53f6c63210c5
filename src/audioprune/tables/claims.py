"""Claims and their verdicts on the study: what published numbers say by themselves, and what the study measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.tables._published import MARKS, STATUS

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.claims.verdict import Judged, Part
    from audioprune.results.study import Results

TITLE = "Claims and their evidence"
CAPTION = (
    "Every claim, those of P0 and of the two drafts that cite P2 among them, with its verdict on this study. Below it, "
    "what the printed numbers say by themselves (printed) and what the study's cells say (measured): one row for each "
    "verdict that parts of the claim got, with the first of these parts."
)
FILES = (("report/claims", "*.yaml"), ("report/published", "*.csv"))  # that its key depends on
PLUGINS = ("predicates", "forensics", "datasets", "backbones", "pruning")  # kinds of modules that it uses all of
NAMES = {"arithmetic": "printed", "cells": "measured"}
UNITS = {"pp": "points"}
NOTES = (
    "Misstated: the numbers are real and the wording is wrong; the rows below are those of the corrected statement. "
    "Superseded: its authors have withdrawn the analysis it rests on. Inconclusive: an interval holds the threshold. "
    "Partly: true for some models, datasets or keep-rates.",
    "Measured values have 95 % intervals by a bootstrap over source recordings and seeds, the same draws for all "
    "models, but for speed-ups, which have quartiles; n counts clips, of speed-ups runs. A "
    "claim on datasets that the study does not have is judged on those of the same kind.",
)


def needs(study: Cells) -> list:
    """Whatever a predicate may ask for: evaluations, timings, token analyses, discarded clusters."""
    return [cell for kind in ("evaluate", "throughput", "tokens", "discard") for cell in study.cells(kind)]


def build(results: Results) -> Table:
    from audioprune.claims.ledger import judge_all

    judged = judge_all(results)
    rows = [row for one in judged for row in _rows(one)]
    return Table(_columns(), tuple(rows), NOTES, status=" ".join(f"Claims marked {m} are {STATUS[m]}" for m in STATUS))


def _rows(judged: Judged) -> list[Row]:
    """One row for each basis and verdict that parts of the claim got."""
    claim = judged.claim
    mark = MARKS.get(claim.sources[0].status, "")
    tier = "" if judged.own_data else "on this tier, "
    group = f"{', '.join(claim.ids)}{mark} {tier}{judged.verdict}: {claim.question}"
    found: dict[tuple, list] = {}
    for part in judged.parts:
        found.setdefault((part.basis, part.verdict), []).append(part)
    common = {
        "claim": ", ".join(claim.ids), "mark": mark,
        "question": claim.question, "verdict": judged.verdict, "brief": judged.brief,
        "on_this_tier": "" if judged.own_data else "on this tier", "statement": " ".join(claim.statement.split()),
        "corrected": judged.corrected, "corrected_verdict": judged.corrected_verdict or "",
        "expected": claim.expected, "exhibit": claim.exhibit, "command": judged.command,
    }  # fmt: skip
    return [Row(common | _row(basis, verdict, parts), group) for (basis, verdict), parts in found.items()]


def _row(basis: str, verdict: str, parts: list[Part]) -> dict[str, Any]:
    first = parts[0]
    more = f"; and {len(parts) - 1} more" if len(parts) > 1 else ""
    return {
        "basis": NAMES[basis],
        "says": verdict,
        "parts": len(parts),
        "value": Cell(first.value, first.low, first.high) if first.value is not None and basis == "cells" else None,
        "unit": UNITS.get(first.unit, first.unit) if first.value is not None and basis == "cells" else None,
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
        Column("clips", "n", decimals=0),
        Column("seeds", "Seeds", decimals=0),
    )
