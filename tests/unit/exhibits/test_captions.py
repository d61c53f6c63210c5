"""Captions and notes promise only what is drawn: marks of figures, and columns, brackets and rows of tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from audioprune.exhibits import named
from audioprune.exhibits.figure_files import draw_figure
from audioprune.exhibits.table import Table
from tests.fakes.ablations import ablations
from tests.fakes.lengths import lengths
from tests.fakes.noise import noisy
from tests.fakes.speech import speech
from tests.fakes.studies import shared
from tests.fakes.tokens import token_study

STUDIES = (shared, ablations, token_study, speech, noisy, lengths)


def marked(*markers: str) -> Callable[[Figure], bool]:
    return lambda fig: any(line.get_marker() in markers for ax in fig.axes for line in ax.lines)


def dotted(fig: Figure) -> bool:
    return any(isinstance(line.get_linestyle(), str) and line.get_linestyle() in (":", "--") for line in lines(fig))


def lines(fig: Figure) -> list:
    return [line for ax in fig.axes for line in ax.lines]


def has(kind: type) -> Callable[[Figure], bool]:
    return lambda fig: any(isinstance(one, kind) for ax in fig.axes for one in (*ax.collections, *ax.containers))


def across(fig: Figure) -> bool:
    """Lines from the bottom to the top of a panel."""
    return has(LineCollection)(fig) or any(line.get_transform() != line.axes.transData for line in lines(fig))


DRAWN: dict[str, Callable[[Figure], bool]] = {  # words of a caption, and whether the figure has it
    r"\bcross(es)?\b": marked("x", "X"),
    r"\btriangles?\b": marked("^"),
    r"\bdotted\b": dotted,
    r"\bdashed\b": dotted,
    r"\bhollow\b": lambda fig: any(line.get_markerfacecolor() == "white" for line in lines(fig)),
    r"\bbands?\b(?! of)": lambda fig: has(PolyCollection)(fig),
    r"\bBars: ": has(ErrorbarContainer),
    r"\b[Vv]ertical lines\b": across,
    r"\bmetric on\b": lambda fig: any("test" in ax.get_ylabel() for ax in fig.axes),
    r"\breleased values\b": marked("x"),
    r"\bkeep-rates along the bottom\b": lambda fig: any(text.get_text() == "1" for ax in fig.axes for text in ax.texts),
}
SHOWN: dict[str, Callable[[Table], bool]] = {  # words of a caption or a note, and whether the table has it
    r"\bIn brackets\b|\bin brackets\b": lambda t: any("[" in e.text or "(" in e.text for e in entries(t)),
    r"\bbeside both\b|\bP0's: |^Released: ": lambda t: published(t),
    r"Published values marked": lambda t: published(t) or any("†" in e.text for e in entries(t)),
    r"\bfurther recipe\b": lambda t: any("recipe 2" in row.group for row in t.rows),
    r"Δ to AST\b": lambda t: any(column.header == "Δ to AST" for column in t.layout().columns),
    r"\bas released, it repeats\b": lambda t: any("as_released" in e.text for e in entries(t)),
    r"\bKernel graph\b": lambda t: any(e.text == "graph" for e in entries(t)),
    r"\b[Tt]hroughput\b|\bspeed-up\b": lambda t: any("peed-up" in column.header for column in t.layout().columns),
}


def entries(table: Table) -> list:
    return [entry for _, rows in table.layout().groups for row in rows for entry in row]


def published(table: Table) -> bool:
    return any(column.part == "published" for column in table.layout().columns)


@cache
def drawn(name: str) -> Figure:
    """Of the first study that has something for it."""
    module = named.get("figure", name)
    return draw_figure(
        module,
        next(study for study in (made() for made in STUDIES) if module.needs(study) or hasattr(module, "STANDALONE")),
    )[0]


@pytest.mark.parametrize("name", named.names("figure"))
def test_every_mark_that_a_caption_names_is_in_the_figure(name):
    fig, caption = drawn(name), named.get("figure", name).CAPTION
    assert [word for word, there in DRAWN.items() if re.search(word, caption) and not there(fig)] == []


@pytest.mark.parametrize("name", named.names("figure"))
def test_a_cross_is_explained(name):
    fig = drawn(name)
    legend = " ".join(text.get_text() for one in fig.legends for text in one.get_texts())
    assert not marked("x")(fig) or re.search("released|left out", legend)


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("name", named.names("table"))
def test_what_captions_and_notes_name_is_in_the_table(name, study):
    module = named.get("table", name)
    table = module.build(study())
    if not table.rows:
        return
    said = [module.CAPTION, table.status, *table.notes]
    missing = [word for word, there in SHOWN.items() if any(re.search(word, one) for one in said) and not there(table)]
    assert missing == []


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("name", named.names("table"))
def test_columns_are_called_by_what_they_hold(name, study):
    assert "Ours" not in {column.header for column in named.get("table", name).build(study()).columns}
