"""The report as PDF, with the content of the HTML: a Typst source made from the same object, compiled by its wheel."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from audioprune.exhibits import escape, forms, named
from audioprune.reporting.content import Report


def source(report: Report, templates: Path = Path("report")) -> str:
    """Typst source. All text goes in as string literals, so nothing of it is read as markup."""
    environment = Environment(  # not HTML: the filters below escape
        loader=FileSystemLoader(templates), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"text": escape.typst, "table": forms.typst, "bytes": _bytes}
    rebuild = f"snakemake {named.target(report.study, 'report.pdf')}"
    return environment.get_template("report.typ.jinja").render(report=report, rebuild=rebuild)


def render(report: Report, templates: Path = Path("report")) -> bytes:
    """The same report gives the same bytes: no date is written."""
    import typst

    return typst.compile(source(report, templates).encode(), format="pdf", timestamp=0)


def _bytes(svg: str) -> str:
    """An SVG as a Typst expression of its bytes."""
    return f"bytes({_literal(svg)})"


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
