"""The report as one HTML file: style, figures, tables and data inside it, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from audioprune.exhibits import display, escape, forms, named
from audioprune.reporting import explorer, paper
from audioprune.reporting.answers import COMPETENCE, learnt
from audioprune.reporting.cards import MEANING
from audioprune.reporting.content import Exhibit, Report
from audioprune.reporting.svg import inline

if TYPE_CHECKING:
    from audioprune.exhibits.table import Table


def render(report: Report, templates: Path = Path("report")) -> str:
    """`templates` holds report.html.jinja and style.css. Everything is escaped but what this module marks as safe."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clean": escape.clean, "said": _said, "table": _tables(report), "figure": _figure, "data": _data,
        "anchor": explorer.anchor,
    }  # fmt: skip
    return environment.get_template("report.html.jinja").render(
        report=report,
        style=Markup((templates / "style.css").read_text(encoding="utf-8")),
        rebuild=f"snakemake {named.target(report.study, 'report.html')}",
        paper=paper,
        bibtex=paper.bibtex(report.study, report.facts.commits, report.facts.date),
        meaning=MEANING,
    )


def _said(text: str) -> str:
    """With names as a paper prints them."""
    return escape.clean(display.text(text))


def _tables(report: Report) -> Callable[[Table, str], Markup]:
    """How a table is shown: rows of models that have not learnt enough are dim, and each says where it is from."""
    known = next((one.table for one in report.exhibits if one.name == COMPETENCE and one.table), None)
    models = [row.cells for row in known.rows] if known else []
    dim, links = (lambda cells: not learnt(cells, models)), _from(report)
    return lambda table, label: Markup(forms.html(table, label, dim, links))


def _from(report: Report) -> forms.Links:
    """The evaluations that the numbers of a row are those of."""
    return lambda cells: [(one.anchor, f"All results: {one.said}") for one in report.explorer.shown(cells)]


def _figure(exhibit: Exhibit, at: str = "") -> Markup:
    """`at` tells apart two places of one figure."""
    label = f"{exhibit.heading}. {display.text(exhibit.seen)}"
    return Markup(inline(exhibit.svg, f"{exhibit.name}{at}", escape.html(label)))


def _data(text: str) -> Markup:
    """A CSV as an address that holds it: most of it is digits and commas, which stand for themselves."""
    return Markup("data:text/csv;charset=utf-8," + quote(text, safe=",.;:/-_()=+*!$"))
