"""A table as LaTeX (booktabs), HTML and Typst: the same layout, each with its own escaping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from audioprune.exhibits import escape
from audioprune.exhibits.table import Column, Entry, Layout, Table

ROWS_ON_A_PAGE = 42  # of a LaTeX float; longer tables continue in another one
Entries = tuple[Entry, ...]  # a row
Groups = list[tuple[str, Iterable[Entries]]]
LETTERS_IN_A_LINE = 52  # of a column of long text


def latex(table: Table, *, name: str, title: str, caption: str) -> str:
    r"""One or more `table` floats; needs \usepackage{booktabs,graphicx}. Wide tables are scaled to the line."""
    layout = table.layout()
    pages = list(_pages(layout))
    parts = [f"% {escape.clean(title)}: needs \\usepackage{{booktabs,graphicx}}"]
    for i, page in enumerate(pages):
        last = i == len(pages) - 1
        head = rf"\textbf{{{escape.latex(title)}}}" + (" (continued)" if i else "") + "."
        text = " ".join([head, *map(escape.latex, (caption, table.status) if not i else ())]).strip()
        label = "" if i else rf"\label{{tab:{re.sub('[^A-Za-z0-9]+', '-', name)}}}"
        notes = [*(_footnote_latex(m, t) for m, t in layout.footnotes), *map(escape.latex, table.notes)] if last else []
        parts += [
            r"\begin{table}[p]" if len(pages) > 1 else r"\begin{table}[tbp]",
            r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{text}}}{label}",
            r"\setbox0=\hbox{%",
            rf"\begin{{tabular}}{{@{{}}{''.join(map(_column_latex, layout.columns))}@{{}}}}",
            r"\toprule",
            *_heads_latex(layout.columns),
            r"\midrule",
            *_body_latex(page, len(layout.columns)),
            r"\bottomrule",
            r"\end{tabular}}%",
            r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\box0}\else\leavevmode\box0\fi",
            *(rf"\par\smallskip\parbox{{\linewidth}}{{\scriptsize {n}}}" for n in notes),
            r"\end{table}",
            "",
        ]
    return "\n".join(parts)


def _pages(layout: Layout) -> Iterator[Groups]:
    """Groups, split so that none is longer than a page and each page holds as many as fit."""
    page: Groups = []
    length = 0
    for name, rows in layout.groups:
        for part in _parts(rows, layout.columns):
            lines = sum(_height(row, layout.columns) for row in part) + 1
            if page and length + lines > ROWS_ON_A_PAGE:
                yield page
                page, length = [], 0
            page.append((name, part))
            length += lines
    yield page


def _parts(rows: Iterable[Entries], columns: tuple[Column, ...]) -> Iterator[list[Entries]]:
    """A group's rows in parts of no more lines than a page has."""
    part: list[Entries] = []
    length = 0
    for row in rows:
        height = _height(row, columns)
        if part and length + height > ROWS_ON_A_PAGE:
            yield part
            part, length = [], 0
        part.append(row)
        length += height
    if part:
        yield part


def _height(row: Entries, columns: tuple[Column, ...]) -> int:
    """Lines that a row takes: more than one where long text is broken."""
    letters = [len(entry.text) for entry, column in zip(row, columns, strict=True) if column.wrap]
    return max([1, *(-(-n // LETTERS_IN_A_LINE) for n in letters)])


def _lines(column: Column) -> tuple[str, ...]:
    """A heading of more than nine letters on two lines, parted where they are most alike in length."""
    text = column.header
    gaps = [i for i, c in enumerate(text) if c == " "]
    if len(text) <= 9 or not gaps:
        return (text,)
    middle = min(gaps, key=lambda i: abs(2 * i - len(text) + 1))
    return text[:middle], text[middle + 1 :]


def _column_latex(column: Column) -> str:
    return "p{6cm}" if column.wrap else column.align[0]


def _heads_latex(columns: tuple[Column, ...]) -> list[str]:
    """As many lines as the tallest heading needs, all standing on the rule below."""
    heads = [[*map(escape.latex, _lines(c)), *([escape.latex(f"({c.unit})")] if c.unit else [])] for c in columns]
    height = max(map(len, heads))
    padded = [[""] * (height - len(head)) + head for head in heads]
    return [" & ".join(line) + r" \\" for line in zip(*padded, strict=True)]


def _body_latex(groups: Groups, width: int) -> list[str]:
    lines = []
    for i, (name, rows) in enumerate(groups):
        lines += [r"\addlinespace"] if i else []
        lines += [rf"\multicolumn{{{width}}}{{@{{}}l@{{}}}}{{\textit{{{escape.latex(name)}}}}} \\"] if name else []
        lines += [" & ".join([_entry_latex(row[0]), *map(_inner_latex, row[1:])]) + r" \\" for row in rows]
    return lines


def _entry_latex(entry: Entry) -> str:
    marks = rf"\textsuperscript{{{escape.latex(entry.marks)}}}" if entry.marks else ""
    return escape.latex(entry.text) + marks


def _inner_latex(entry: Entry) -> str:
    """Brackets need braces only at the start of a row, where they would be the option of the line's end before."""
    return _entry_latex(entry).replace("{[}", "[").replace("{]}", "]")


def _footnote_latex(mark: str, text: str) -> str:
    return rf"\textsuperscript{{{escape.latex(mark)}}} {escape.latex(text)}"


def html(table: Table) -> str:
    """A fragment: the table in a box that scrolls by itself, then its notes."""
    layout = table.layout()
    heads = "".join(
        f'<th scope="col" class="{c.align}">{"<br>".join(map(escape.html, _lines(c)))}'
        + (f'<br><span class="unit">({escape.html(c.unit)})</span>' if c.unit else "")
        + "</th>"
        for c in layout.columns
    )
    body = "".join(_group_html(name, rows, layout.columns) for name, rows in layout.groups)
    notes = [f"<li><sup>{escape.html(m)}</sup> {escape.html(t)}</li>" for m, t in layout.footnotes]
    notes += [f"<li>{escape.html(note)}</li>" for note in table.notes]
    listed = f'\n<ul class="notes">{"".join(notes)}</ul>' if notes else ""
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}</tr></thead>\n{body}</table></div>{listed}\n'


def _group_html(name: str, rows: Iterable[Entries], columns: tuple[Column, ...]) -> str:
    lines = (
        [f'<tr class="group"><th scope="rowgroup" colspan="{len(columns)}"><span>{escape.html(name)}</span></th></tr>']
        if name
        else []
    )
    for row in rows:
        lines.append("<tr>" + "".join(_entry_html(e, c) for e, c in zip(row, columns, strict=True)) + "</tr>")
    return "<tbody>" + "\n".join(lines) + "</tbody>\n"


def _entry_html(entry: Entry, column: Column) -> str:
    marks = f"<sup>{escape.html(entry.marks)}</sup>" if entry.marks else ""
    kind = column.align + (" missing" if entry.missing else "") + (" long" if column.wrap else "")
    return f'<td class="{kind}">{escape.html(entry.text)}{marks}</td>'


def typst(table: Table) -> str:
    """Typst code: `#booktable(...)` of the report's template, whose headings repeat on every page."""
    layout = table.layout()
    lines = ["".join(f"{escape.typst(line)}, " for line in _lines(c)) for c in layout.columns]
    heads = ", ".join(f"(({text}), {escape.typst(c.unit)})" for text, c in zip(lines, layout.columns, strict=True))
    align = ", ".join(f"({c.align}, {'true' if c.wrap else 'false'})" for c in layout.columns)
    groups = "".join(
        f"({escape.typst(name)}, ({''.join(_row_typst(row) + ', ' for row in rows)})), " for name, rows in layout.groups
    )
    notes = [f"({escape.typst(m)}, {escape.typst(t)})" for m, t in layout.footnotes]
    notes += [f'("", {escape.typst(note)})' for note in table.notes]
    listed = "".join(note + ", " for note in notes)
    return f"#booktable(({heads},), ({align},), ({groups}), ({listed}))\n"


def _row_typst(row: Entries) -> str:
    return "(" + "".join(f"({escape.typst(e.text)}, {escape.typst(e.marks)}), " for e in row) + ")"
