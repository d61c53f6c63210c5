"""How a table is divided into LaTeX pages, upright or sideways, and how wide its columns are.

Widths are estimated from the letters, for the page of `article`. A table that is too wide for the line of a page breaks
its longest texts into lines; one that is still too wide stands sideways, then in smaller letters; then its groups stand
apart, each with its own columns; at last its columns are shared out. One that is too long goes on on further pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from audioprune.exhibits import display
from audioprune.exhibits.table import Column, Entry, Layout

LETTERS = (("ijl.,:;'|![]", 0.28), ("frtsI ()-", 0.39), ("mMW%−×–", 0.86))  # widths in em of Computer Modern
CAPITAL, OTHER = 0.74, 0.53
SMALLEST, PLEASANT = 60, 160  # points: lines of a broken column, and of long text, are no shorter
GAP = 6  # points between columns, at least
HEADING = 1.6  # height of a group's heading, in lines of the table as all heights
NOTE = 0.84  # of a line of notes


@dataclass(frozen=True)
class Paper:
    """The page of a table: width of a line in points, lines of a page below the caption, and the float."""

    width: float
    lines: float
    float: str


UPRIGHT, SIDEWAYS = Paper(345, 50, "table"), Paper(550, 30, "sidewaystable")
SIZES = {"footnotesize": 8.5, "scriptsize": 7.9}  # points of an em, the larger first
FORMS = ((UPRIGHT, "footnotesize"), (SIDEWAYS, "footnotesize"), (SIDEWAYS, "scriptsize"))  # the first that holds it

Entries = tuple[Entry, ...]  # a row
Groups = tuple[tuple[str, tuple[Entries, ...]], ...]


@dataclass(frozen=True)
class Part:
    """Groups of rows that are set alike: its columns, the widths of those that are broken (points; 0: as its text)."""

    columns: tuple[Column, ...]
    groups: Groups
    paper: Paper
    size: str
    widths: tuple[float, ...]


@dataclass
class Page:
    """Content of one float: rows in groups, the table's description, notes."""

    part: Part
    groups: list[tuple[str, list[Entries]]] = field(default_factory=list)
    description: list[str] = field(default_factory=list)  # on the first one
    notes: list[str] = field(default_factory=list)


def pages(layout: Layout, description: list[str], notes: list[str]) -> list[Page]:
    """Rows, then notes, in order on as many pages as needed; the description is below the first rows."""
    found: list[Page] = []
    for part in _parts(layout):
        page = Page(part, description=[] if found else description)
        found.append(page)
        room = part.paper.lines - _notes_height(page.description, part)
        for name, rows in part.groups:
            head = HEADING if name else 0.5
            fresh = True
            for row in rows:
                height = _row_height(row, part) + (head if fresh else 0)
                if height > room and (page.groups or page.description):
                    page = Page(part)
                    found.append(page)
                    room, fresh = part.paper.lines, True
                    height = _row_height(row, part) + head
                if fresh:
                    page.groups.append((name, []))
                page.groups[-1][1].append(row)
                room, fresh = room - height, False
    return _noted(found, room, notes)


def _noted(found: list[Page], room: float, notes: list[str]) -> list[Page]:
    """The notes below the last rows, and on further pages where there is no room; not alone, where this can be."""
    part = found[-1].part
    first = len(found)
    for note in notes:
        height = _notes_height([note], part)
        if height > room and (found[-1].groups or found[-1].notes or found[-1].description):
            found.append(Page(part))
            room = part.paper.lines
        found[-1].notes.append(note)
        room -= height
    if len(found) != first + 1 or len(found[-2].groups) < 2:
        return found
    *before, page, last = found
    name, rows = page.groups[-1]
    moved = [*page.notes, *last.notes]
    if HEADING + sum(_row_height(row, part) for row in rows) + _notes_height(moved, part) > part.paper.lines:
        return found
    return [*before, Page(part, page.groups[:-1], page.description), Page(part, [(name, rows)], notes=moved)]


def _row_height(row: Entries, part: Part) -> int:
    """Lines that a row takes: more than one where long text is broken, which leaves a tenth of a line empty."""
    em = SIZES[part.size]
    broken = ((em * letters(e.text), w) for e, w in zip(row, part.widths, strict=True) if w)
    return max([1, *(math.ceil(1.1 * text / width) for text, width in broken if text > width)])


def _notes_height(notes: Iterable[str], part: Part) -> float:
    widths = (1.05 * SIZES["scriptsize"] * letters(note) for note in notes)
    return NOTE * sum(math.ceil(width / part.paper.width) for width in widths)


# -- columns -----------------------------------------------------------------------------------------------------------


def _parts(layout: Layout) -> Iterator[Part]:
    """The whole; where that is too wide, neighbouring groups that fill the same columns; then some of the columns."""
    if part := _set(layout.columns, layout.groups):
        yield part
        return
    for filled, groups in _alike(layout) or [([*range(len(layout.columns))], [])]:
        columns = tuple(layout.columns[i] for i in filled)
        own = tuple((name, tuple(tuple(row[i] for i in filled) for row in rows)) for name, rows in groups)
        yield from _shared_out(columns, own)


def _alike(layout: Layout) -> list[tuple[list[int], list]]:
    """Neighbouring groups with the numbers of the columns that they fill."""
    found: list[tuple[list[int], list]] = []
    for name, rows in layout.groups:
        filled = [i for i in range(len(layout.columns)) if any(not r[i].missing or r[i].marks for r in rows)]
        if not found or found[-1][0] != filled:
            found.append((filled, []))
        found[-1][1].append((name, rows))
    return found


def _shared_out(columns: tuple[Column, ...], groups: Groups) -> Iterator[Part]:
    """Parts with the first columns in each, and as many of the others as a page holds, a quantity's own together."""
    named = naming(columns, groups)
    keys, rest = list(range(named)), list(range(named, len(columns)))
    while True:
        ends = [n for n in range(1, len(rest)) if columns[rest[n]].key != columns[rest[n - 1]].key]
        for taken in (len(rest), *reversed(ends), *([] if 1 in ends else [1]), 0):
            chosen = [*keys, *rest[:taken]]
            own = tuple((name, tuple(tuple(row[i] for i in chosen) for row in rows)) for name, rows in groups)
            part = _set(tuple(columns[i] for i in chosen), own, anyhow=taken <= 1)
            if part:
                yield part
                break
        rest = rest[max(1, taken) :]
        if not rest:
            return


def naming(columns: tuple[Column, ...], groups: Groups) -> int:
    """How many of the first columns name a row: those of text, and up to two more where only these tell rows apart."""
    texts = max(1, next((i for i, column in enumerate(columns) if column.align != "left"), len(columns) - 1))
    for n in range(texts, min(texts + 3, len(columns))):
        if all(len({tuple(entry.text for entry in row[:n]) for row in rows}) == len(rows) for _, rows in groups):
            return n
    return texts


def _set(columns: tuple[Column, ...], groups: Groups, anyhow: bool = False) -> Part | None:
    """These columns in the first form that holds them; None where none does, or the last one `anyhow`."""
    for paper, size in FORMS:
        if (widths := _widths(columns, groups, paper.width, SIZES[size])) is not None:
            return Part(columns, groups, paper, size, widths)
    return Part(columns, groups, SIDEWAYS, "scriptsize", tuple(0.0 for _ in columns)) if anyhow else None


def _widths(columns: tuple[Column, ...], groups: Groups, width: float, em: float) -> tuple[float, ...] | None:
    """Widths of the columns of long text, 0 of others; None where they do not fit into `width` points."""
    rows = [row for _, rows in groups for row in rows]
    heads = [em * max(map(letters, head_of(column))) for column in columns]
    full = [max([h, *(em * letters(row[i].text + row[i].marks) for row in rows)]) for i, h in enumerate(heads)]
    room = width - GAP * (len(full) - 1)
    if sum(full) <= room:
        return tuple(0.0 for _ in full)
    found, least = list(full), {}
    for i in (i for i, column in enumerate(columns) if column.align == "left" and full[i] > SMALLEST):
        words = [em * letters(word) for row in rows for word in display.text(row[i].text).split()]
        least[i] = max([SMALLEST, heads[i], min(full[i] / 3, PLEASANT), *words])
    for i in sorted(least, key=lambda i: -full[i]):  # the longest texts first, until all fit
        found[i] = max(least[i], min(full[i], room - (sum(found) - found[i])))
        if sum(found) <= room + 0.01:
            return tuple(w if w < full[j] else 0.0 for j, w in enumerate(found))
    return None


def letters(text: str) -> float:
    """Width of a text in em."""
    return sum(map(_letter, display.text(text)))


def _letter(c: str) -> float:
    return next((width for some, width in LETTERS if c in some), CAPITAL if c.isupper() else OTHER)


def head_of(column: Column) -> tuple[str, ...]:
    """The lines above a column: its heading, and its unit."""
    return (*column.lines, *([f"({column.unit})"] if column.unit else []))
