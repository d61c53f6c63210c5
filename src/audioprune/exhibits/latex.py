r"""A table as LaTeX to paste: booktabs in a float, its description and notes below it (threeparttable), no scaled text.

A table of several pages has several floats under one number. Columns stand as far apart as the line lets them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from audioprune.exhibits import display, escape
from audioprune.exhibits.pages import GAP, SIDEWAYS, Page, head_of, pages
from audioprune.exhibits.table import Column, Entry, Table

PACKAGES = "array,booktabs,caption,rotating,threeparttable"


def render(table: Table, *, name: str, title: str, caption: str, source: str = "") -> str:
    """One float, or several under one number. `source` says in a comment where the table comes from."""
    layout = table.layout()
    described = [_text(said) for said in (caption, table.status) if said]
    description = [rf"\item {' '.join(described)}"] if described else []
    notes = [rf"\item[{escape.latex(mark)}] {_text(said)}" for mark, said in layout.footnotes]
    notes += [rf"\item {_text(note)}" for note in table.notes]
    label = rf"\label{{tab:{re.sub('[^A-Za-z0-9]+', '-', name)}}}"
    lines = [f"% {escape.clean(source or title)}", rf"% needs \usepackage{{{PACKAGES}}}"]
    found = pages(layout, description, notes)
    for i, page in enumerate(found):
        paper = page.part.paper
        head = rf"\caption[]{{{_text(title)} (continued).}}" if i else rf"\caption{{{_text(title)}.}}{label}"
        lines += [
            rf"\begin{{{paper.float}}}[{'p' if len(found) > 1 or paper is SIDEWAYS else 'tbp'}]",
            *([r"\ContinuedFloat"] if i else []),
            r"\captionsetup{position=top}",
            rf"\centering\{page.part.size}\setlength{{\tabcolsep}}{{{GAP // 2}pt}}",
            head,
            *_body(page),
            rf"\end{{{paper.float}}}",
            "",
        ]
    return "\n".join(lines)


def _text(said: str) -> str:
    return escape.latex(display.text(said))


def _body(page: Page) -> list[str]:
    columns = page.part.columns
    kinds = "".join(map(_column, columns, page.part.widths)) if page.groups else "l"
    rows = [*_heads(columns), r"\midrule", *_rows(page, len(columns)), r"\bottomrule"] if page.groups else []
    said = [*page.description, *page.notes]
    notes = [r"\begin{tablenotes}[flushleft]\scriptsize\setlength{\labelsep}{0pt}", *said, r"\end{tablenotes}"]
    return [
        r"\begin{threeparttable}",
        rf"\begin{{tabular*}}{{\linewidth}}{{@{{\extracolsep{{\fill}}}}{kinds}@{{}}}}",
        r"\toprule",
        *rows,
        r"\end{tabular*}",
        *(notes if said else []),
        r"\end{threeparttable}",
    ]


def _column(column: Column, width: float) -> str:
    return rf">{{\raggedright\arraybackslash}}p{{{width:.0f}pt}}" if width else column.align[0]


def _heads(columns: Sequence[Column]) -> list[str]:
    """Column heads on as many lines as the tallest one needs, aligned at the bottom."""
    heads = [list(map(_text, head_of(column))) for column in columns]
    height = max(map(len, heads), default=0)
    padded = [[""] * (height - len(head)) + head for head in heads]
    return [" & ".join(line) + r" \\" for line in zip(*padded, strict=True)]


def _rows(page: Page, width: int) -> list[str]:
    lines = []
    for i, (name, rows) in enumerate(page.groups):
        lines += [r"\addlinespace"] if i else []
        lines += [_heading(name) + " &" * (width - 1) + r" \\"] if name else []
        lines += [" & ".join([_entry(row[0]), *map(_inner, row[1:])]) + r" \\" for row in rows]
    return lines


def _heading(name: str) -> str:
    """Heading of a group: it spans all columns and does not widen the first."""
    text = rf"\parbox[t]{{\linewidth}}{{\raggedright\itshape {_text(name)}\strut}}"
    return rf"\multicolumn{{1}}{{@{{}}l@{{}}}}{{\rlap{{{text}}}}}"


def _entry(entry: Entry) -> str:
    return _text(entry.text) + (rf"\tnote{{{escape.latex(entry.marks)}}}" if entry.marks else "")


def _inner(entry: Entry) -> str:
    """Brackets need braces only at the start of a row, where they would be the option of the line's end before."""
    return _entry(entry).replace("{[}", "[").replace("{]}", "]")
