"""A table as HTML and Typst: the same layout, each with its own escaping (for LaTeX see latex.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from audioprune.exhibits import display, escape
from audioprune.exhibits.pages import naming
from audioprune.exhibits.table import CLEAR_MARK, DASH, Column, Entry, Row, Table

Entries = tuple[Entry, ...]  # a row
WIDE, TALL = 12, 40  # columns and rows from which on a table of a page is set smaller, and scrolls within itself


class Link(NamedTuple):
    to: str  # an anchor of the page
    shown: str  # few letters: a kind of cell, or the number of a further one
    said: str  # for those who do not see where it stands


Links = Callable[[Row], Iterable[Link]]  # to where the numbers of a row come from


def html(
    table: Table,
    label: str = "",
    dim: Callable[[Mapping[str, Any]], bool] | None = None,
    links: Links = lambda row: (),
) -> str:
    """A fragment: the table in a box that scrolls by itself, then its notes; `label` names it where it is not seen.

    `dim` says of the cells of which rows that they say nothing, as those of models at chance; `links` where the
    numbers of a row come from.
    """
    layout = table.layout()
    top = "".join(
        f'<th scope="col" class="{c.align}">{"<br>".join(map(escape.html, c.lines))}'
        + (f'<br><span class="unit">({escape.html(c.unit)})</span>' if c.unit else "")
        + "</th>"
        for c in layout.columns
    )
    led = [(r.group, bool(dim and dim(r.cells)), tuple(links(r))) for r in table.rows]
    linked = any(to for _, _, to in led)
    top += '<th scope="col" class="left">From</th>' if linked else ""
    body = "".join(
        _group_html(name, rows, layout.columns, [(dimmed, to) for own, dimmed, to in led if own == name], linked)
        for name, rows in layout.groups
    )
    marked = [f"<li><sup>{escape.html(m)}</sup> {_html(t)}</li>" for m, t in layout.footnotes]
    listed = f'\n<ul class="notes">{"".join(marked)}</ul>' if marked else ""
    notes = "".join(f"<li>{_html(note)}</li>" for note in table.notes)
    listed += f'\n<details class="notes"><summary>Notes</summary><ul>{notes}</ul></details>' if notes else ""
    name = escape.html(label)
    box = f'class="scroll" role="region" aria-label="{name}" tabindex="0"' if label else 'class="scroll" tabindex="0"'
    caption = f'<caption class="unseen">{name}</caption>' if label else ""
    said = [" ".join(c.lines) + (f" ({c.unit})" if c.unit else "") for c in layout.columns] + ["From"] * linked
    kinds = ["wide"] * (len(said) >= WIDE) + ["tall"] * (len(table.rows) >= TALL)
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    return (
        f"<div {box}><table{kind} {heads(said)}>{caption}<thead><tr>{top}</tr></thead>\n{body}</table></div>{listed}\n"
    )


def heads(names: Iterable[str]) -> Markup:
    """An attribute of a table that tells its style the headings: where the page is narrow, each value shows its own."""
    return Markup('style="{}"').format("; ".join(f"--h{i}: {escape.css(name)}" for i, name in enumerate(names, 1)))


def _html(said: str) -> str:
    """With names as a paper prints them."""
    return escape.html(display.text(said))


def _group_html(
    name: str,
    rows: Iterable[Entries],
    columns: tuple[Column, ...],
    led: Iterable[tuple[bool, tuple[Link, ...]]],
    linked: bool,
) -> str:
    wide = len(columns) + linked
    head = f'<tr class="group"><th scope="rowgroup" colspan="{wide}"><span>{_html(name)}</span></th></tr>'
    lines = [head] if name else []
    for row, (dim, links) in zip(rows, led, strict=True):
        start = '<tr class="chance">' if dim else "<tr>"
        places = " ".join(map(link_html, links))
        last = f'<td class="left from">{places}</td>' if linked else ""
        lines.append(start + "".join(_entry_html(e, c) for e, c in zip(row, columns, strict=True)) + f"{last}</tr>")
    return "<tbody>" + "\n".join(lines) + "</tbody>\n"


def link_html(one: Link) -> str:
    return f'<a href="#{one.to}" aria-label="{_html(one.said)}">{escape.html(one.shown)}</a>'


def _entry_html(entry: Entry, column: Column) -> str:
    marks = f"<sup>{escape.html(entry.marks)}</sup>" if entry.marks else ""
    kind = (
        column.align
        + (" missing" if entry.missing else "")
        + (" dash" if entry.text == DASH else "")
        + (" long" if column.wrap else "")
    )
    kind += " clear" if CLEAR_MARK in entry.marks else ""
    return f'<td class="{kind}">{_html(entry.text)}{marks}</td>'


def typst(table: Table, dim: Callable[[Mapping[str, Any]], bool] | None = None) -> str:
    """Typst code: `#booktable(...)` of the report's template, whose headings repeat on every page; `dim` as of HTML.

    It is told how many of the first columns name a row: of a table that is too wide for readable type it sets blocks of
    columns one below the other, each with these.
    """
    table = table.in_print()
    layout = table.layout()
    dimmed: dict[str, list[bool]] = {}
    for row in table.rows:
        dimmed.setdefault(row.group, []).append(bool(dim and dim(row.cells)))
    lines = ["".join(f"{escape.typst(line)}, " for line in c.lines) for c in layout.columns]
    heads = ", ".join(f"(({text}), {escape.typst(c.unit)})" for text, c in zip(lines, layout.columns, strict=True))
    align = ", ".join(f"({c.align}, {'true' if c.wrap else 'false'})" for c in layout.columns)
    groups = "".join(
        f"({_typst(name)}, ({''.join(f'{_row_typst(*row)}, ' for row in zip(rows, dimmed[name], strict=True))})), "
        for name, rows in layout.groups
    )
    notes = [f"({escape.typst(m)}, {_typst(t)})" for m, t in layout.footnotes]
    notes += [f'("", {_typst(note)})' for note in table.notes]
    listed = "".join(note + ", " for note in notes)
    return (
        f"#booktable(({heads},), ({align},), ({groups}), ({listed}), labels: {naming(layout.columns, layout.groups)})\n"
    )


def _typst(said: str) -> str:
    return escape.typst(display.text(said))


def _row_typst(row: Entries, dim: bool) -> str:
    """Text, marks and how an entry looks: dim, strong or neither."""
    looks = ["dim" if dim else "strong" if CLEAR_MARK in e.marks else "" for e in row]
    return "(" + "".join(f'({_typst(e.text)}, {escape.typst(e.marks)}, "{how}"), ' for e, how in zip(row, looks)) + ")"
