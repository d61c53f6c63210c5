"""The report as one HTML file: style, figures, tables and data inside it, nothing loaded from anywhere."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from audioprune.exhibits import display, escape, forms, named
from audioprune.reporting import dispute, explorer, paper
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
        "anchor": explorer.anchor, "links": _links, "code": _code, "slug": _slug, "heads": forms.heads,
        "message": lambda card: dispute.message(card, report.study, report.facts),
        "address": lambda told: dispute.address(report.disputes, told),
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

    def dim(cells: Mapping[str, Any]) -> bool:
        return not learnt(cells, models)

    return lambda table, label: Markup(forms.html(table, label, dim, report.origins.of_row))


def _links(links: Iterable[forms.Link]) -> Markup:
    return Markup(" ".join(map(forms.link_html, links)))


def _code(text: str) -> Markup:
    """Text between tags, where quotation marks need no escaping: most of what is shown is JSON."""
    return Markup(escape.text(text))


def _figure(exhibit: Exhibit, at: str = "") -> Markup:
    """`at` tells apart two places of one figure."""
    label = f"{exhibit.heading}. {display.text(exhibit.seen)}"
    return Markup(inline(exhibit.svg, f"{exhibit.name}{at}", escape.html(label)))


def _data(text: str) -> Markup:
    """A CSV, compressed, as an address that holds it; a script of the page unpacks what is asked for."""
    held = gzip.compress(text.encode(), mtime=0)
    return Markup("data:application/gzip;base64," + b64encode(held).decode())


def _slug(text: str) -> str:
    """For an identifier: what is neither a letter nor a digit becomes a hyphen."""
    return re.sub(r"\W+", "-", text)
