"""The report as PDF, with the content of the HTML: a Typst source made from the same object, compiled by its wheel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from audioprune.exhibits import display, escape, forms, named, typeset
from audioprune.reporting import paper
from audioprune.reporting.content import Report


def source(report: Report, templates: Path = Path("report")) -> str:
    """Typst source. All text goes in as string literals, so nothing of it is read as markup."""
    environment = Environment(  # not HTML: the filters below escape
        loader=FileSystemLoader(templates), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "text": escape.typst, "said": _said, "bytes": typeset.held, "literal": escape.typst_literal,
        "counted": _counted,
        "table": lambda table: forms.typst(table, lambda cells: not report.learnt(cells)),
    }  # fmt: skip
    return environment.get_template("report.typ.jinja").render(
        report=report,
        rebuild=f"snakemake {named.target(report.study, 'report.pdf')}",
        paper=paper,
        bibtex=paper.bibtex(report.study, report.facts.commits, report.facts.date),
        methods=_paragraphs((templates / "methods.html.jinja").read_text(encoding="utf-8")),
    )


def render(report: Report, templates: Path = Path("report")) -> bytes:
    """The same report gives the same bytes: no date is written."""
    return typeset.pdf(source(report, templates))


def _said(text: str) -> str:
    """A literal with names as a paper prints them."""
    return escape.typst(display.text(text))


def _counted(tally: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in tally.items())


def _paragraphs(page: str) -> list[str]:
    """The words of the paragraphs of a fragment of HTML."""
    return [re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<p>(.*?)</p>", page, re.S)]
