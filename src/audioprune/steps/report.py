"""Step `report`: results/<study>/report.html and report.pdf, the same content in two forms."""

from __future__ import annotations

from pathlib import Path

from audioprune import records
from audioprune.planning import accepted
from audioprune.planning.plan import TEMPLATES, Plan
from audioprune.reporting import html, pdf
from audioprune.reporting.accepted import sentences
from audioprune.reporting.content import collect
from audioprune.results.study import Results
from audioprune.steps._exhibit import main


def report(plan: Plan, study: str, name: str, stem: Path) -> dict:
    shown = plan.exhibits(study)
    cells = {cell.path: cell for kind, exhibit in shown for cell in plan.exhibit_cells(study, kind, exhibit)}
    results = Results(study, cells.values(), plan.planner.facts)
    about = plan.exhibit_settings(study, "report", name)  # what is keyed of the configuration, and no more
    notes = sentences(results, accepted.load())
    content = collect(results, shown, stem.parent, title=about.title, tier=about.tier, notes=notes)
    page, paper = html.render(content, TEMPLATES), pdf.render(content, TEMPLATES)
    records.write_text(stem.with_suffix(".html"), page)
    with records.atomic(stem.with_suffix(".pdf")) as temporary:
        temporary.write_bytes(paper)
    return {"exhibits": len(shown), "cells": len(cells), "html_bytes": len(page.encode()), "pdf_bytes": len(paper)}


if __name__ == "__main__":
    main("report", report)
