"""Step `report`: report.html and report.pdf, the same content in two forms, which users find in results/<study>/."""

from __future__ import annotations

from pathlib import Path

from audioprune.exhibits import named
from audioprune.fingerprints import accepted
from audioprune.reporting import glossary, html, pdf, stored
from audioprune.reporting.accepted import sentences
from audioprune.reporting.content import collect
from audioprune.settings.exhibits import ReportSettings
from audioprune.steps._drawing import results_of
from audioprune.steps._run import Job, main

TEMPLATES, GLOSSARY = Path("report"), Path("docs/glossary.md")


def report(job: Job[ReportSettings]) -> dict:
    results, about = results_of(job), job.settings
    notes = [*sentences(results, accepted.load()), *stored.sentences(results)]
    shown = {f"{c.kind}/{c.settings.name}": c for c in job.cells if c.kind in named.PACKAGES}
    drawn = {name: (named.of(cell.kind, cell.settings), cell.dir) for name, cell in shown.items()}
    terms = glossary.parse(GLOSSARY.read_text(encoding="utf-8"))
    content = collect(
        results,
        drawn,
        title=about.title,
        tier=about.tier,
        notes=notes,
        terms=terms,
        credits={one.dataset: one for one in about.credits},
        disputes=about.disputes,
    )
    page, paper = html.render(content, TEMPLATES), pdf.render(content, TEMPLATES)
    (job.out / "report.html").write_text(page, encoding="utf-8")
    (job.out / "report.pdf").write_bytes(paper)
    sizes = {"html_bytes": len(page.encode()), "pdf_bytes": len(paper)}
    return {"exhibits": len(job.inputs), "cells": len(job.cells) - len(job.inputs), **sizes}


if __name__ == "__main__":
    main(report)
