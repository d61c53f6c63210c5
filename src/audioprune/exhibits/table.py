"""A table: columns, rows in groups, notes. The text shown and the CSV are made from the same cells.

One `Cell` is one quantity of one row: ours with its interval, the published value, and why it was not run. A `Column`
shows one part of it, so that the value, its interval, the published value and the difference stand side by side.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from audioprune.wording import number, p_value

DASH = "–"
NOT_RUN = "not run"
WIDE, FEWER = 1.0, 1  # width of an interval from which on a value has one decimal
FEW = 10  # clips that two models differ in, below which a difference is marked
CLEAR = 0.05  # adjusted p of a difference that is marked as clear
FEW_MARK, CLEAR_MARK = "§", "*"
OWN_MARKS = {
    FEW_MARK: f"This difference rests on fewer than {FEW} clips: one clip more or fewer would change it considerably.",
    CLEAR_MARK: "Differs from zero at 5 %, adjusted by Holm for all differences of the table.",
}


@dataclass(frozen=True)
class Cell:
    """A quantity in the unit of its column."""

    value: int | float | None = None
    low: int | float | None = None
    high: int | float | None = None
    published: int | float | None = None
    source: str = ""  # of the published value, such as P0
    mark: str = ""  # of the published value, explained in the notes
    why: str = ""  # why it was not run
    note: str = ""  # a remark on the value, such as "1 of 2 runs"
    only_first: int | None = None  # of a difference of accuracies: clips, over all runs, that the first model alone has
    only_second: int | None = None  # ... and the second alone
    p: float | None = None  # of a difference: two-sided, of none
    p_holm: float | None = None  # adjusted for all differences of the table
    rests_on: tuple[str, ...] = ()  # paths of the cells of the study that it was computed from

    @property
    def difference(self) -> float | None:
        """Ours minus published."""
        return None if self.value is None or self.published is None else self.value - self.published


Value = Cell | int | float | str | None  # in one place of a row


@dataclass(frozen=True)
class Column:
    key: str
    header: str
    unit: str = ""
    decimals: int = 2
    part: Literal["value", "interval", "changed", "published", "difference"] = "value"
    signed: bool = False
    align: Literal["left", "right"] = "right"
    scale: float = 1.0  # shown = held x scale; the CSV has what is held
    wrap: bool = False  # long text: broken into lines
    floor: bool = False  # what rounds to zero is shown as below the last digit
    p: bool = False  # a p-value: of two digits
    exact: bool = False  # a setting: with all decimals that it has, and at least so many
    in_print: bool = True  # False: on the page and in the CSV, not in the PDF
    within: str = ""  # what the brackets behind a value are: '95 %'; set where an interval's column is joined to it

    @property
    def lines(self) -> tuple[str, ...]:
        """The heading; of more than nine letters on two lines, parted where they are most alike in length."""
        said = f"{self.header} [{self.within}]" if self.within else self.header
        gaps = [i for i, c in enumerate(said) if c == " " and said[i - 1 : i + 2] != "5 %"]
        if len(said) <= 9 or not gaps:
            return (said,)
        middle = min(gaps, key=lambda i: abs(2 * i - len(said) + 1))
        return said[:middle], said[middle + 1 :]


@dataclass(frozen=True)
class Row:
    """Quantities by column key: a Cell, a plain number or a text. Keys without a column are in the CSV only."""

    cells: dict[str, Value]
    group: str = ""
    rests_on: tuple[str, ...] = ()  # paths of the cells of the study that its plain numbers were computed from


@dataclass(frozen=True)
class Entry:
    """What is shown in one place: text that is not escaped yet, and the marks of its footnotes."""

    text: str
    marks: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Layout:
    columns: tuple[Column, ...]
    groups: tuple[tuple[str, tuple[tuple[Entry, ...], ...]], ...]
    footnotes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    marks: dict[str, str] = field(default_factory=dict)  # mark -> its explanation, shown when the mark is used
    status: str = ""  # of the published values, shown with the caption

    def layout(self) -> Layout:
        """Everything as it is shown; rows of one group follow one another."""
        letters: dict[str, str] = {}
        used: dict[str, None] = {}
        shown = tuple(c for c in self.columns if any(_shown(c, r.cells.get(c.key)) for r in self.rows)) or self.columns
        columns = _joined(shown, [row.cells for row in self.rows])
        groups: dict[str, list] = {}
        for row in self.rows:
            entries = tuple(_entry(c, row.cells.get(c.key), letters, used) for c in columns)
            groups.setdefault(row.group, []).append(entries)
        footnotes = [(letter, reason) for reason, letter in letters.items()]
        footnotes += [(mark, {**OWN_MARKS, **self.marks}.get(mark, "")) for mark in used]
        return Layout(columns, tuple((name, tuple(rows)) for name, rows in groups.items()), tuple(footnotes))

    def in_print(self) -> Table:
        """As a page of paper has it: a note names the columns that are left out."""
        filled = (c for c in self.columns if any(_shown(c, r.cells.get(c.key)) for r in self.rows))
        out = list(dict.fromkeys(c.header for c in filled if not c.in_print))
        more = (f"Not in print, but in report.html and in the CSV: {', '.join(out)}.",) if out else ()
        return replace(self, columns=tuple(c for c in self.columns if c.in_print), notes=(*self.notes, *more))

    def not_run(self) -> list[Cell]:
        """The quantities that were not run."""
        cells = (cell for row in self.rows for cell in row.cells.values())
        return [cell for cell in cells if isinstance(cell, Cell) and cell.value is None and cell.why]

    def csv(self) -> str:
        """One line for each row, every number in full precision; a cell's parts are columns of their own."""
        keys = list(dict.fromkeys(key for row in self.rows for key in row.cells))
        parts = ["value", "low", "high", "only_first", "only_second", "p", "p_holm"]
        parts += ["published", "difference", "source", "why", "note"]
        found = {
            key: [p for p in parts if any(_part(r.cells.get(key), p) is not None for r in self.rows)] for key in keys
        }
        out = io.StringIO()
        write = csv.writer(out, lineterminator="\n").writerow
        write([key if part == "value" else f"{key}_{part}" for key in keys for part in found[key]])
        for row in self.rows:
            write([_raw(_part(row.cells.get(key), part)) for key in keys for part in found[key]])
        return out.getvalue()


def _joined(columns: Sequence[Column], rows: Sequence[Mapping[str, Value]]) -> tuple[Column, ...]:
    """A value and its interval in one column; of percents, two decimals only where some interval is narrow."""
    found: list[Column] = []
    for column in columns:
        before = found[-1] if found else None
        if column.part == "interval" and before is not None and (before.key, before.part) == (column.key, "value"):
            decimals = min(before.decimals, FEWER) if _wide(column.key, before.scale, rows) else before.decimals
            within = column.header.removesuffix(" interval")
            found[-1] = replace(before, within=within, decimals=decimals if before.decimals == 2 else before.decimals)
        else:
            found.append(column)
    return tuple(found)


def _wide(key: str, scale: float, rows: Sequence[Mapping[str, Value]]) -> bool:
    """Whether all intervals of a column are so wide that a second decimal says nothing."""
    cells = [row.get(key) for row in rows]
    spans = [c.high - c.low for c in cells if isinstance(c, Cell) and c.high is not None and c.low is not None]
    return all(abs(scale) * span >= WIDE for span in spans)


def _part(cell: Value, part: str) -> int | float | str | None:
    if not isinstance(cell, Cell):
        return cell if part == "value" else None
    value = getattr(cell, part)
    return None if value == "" else value


def _raw(value: int | float | str | None) -> str:
    return "" if value is None else repr(float(value)) if isinstance(value, float) else str(value)


def _shown(column: Column, cell: Value) -> bool:
    """Whether this row has anything for the column: columns that nobody fills are left out."""
    if isinstance(cell, Cell) and column.part != "value":
        return _part(cell, {"interval": "low", "changed": "only_first"}.get(column.part, column.part)) is not None
    return cell is not None and cell != ""


def _entry(column: Column, cell: Value, letters: dict[str, str], used: dict[str, None]) -> Entry:
    """What is shown of a cell in a column. Reasons and remarks get letters; marks of published values are noted."""
    if isinstance(cell, str):
        return Entry(cell)
    cell = cell if isinstance(cell, Cell) else Cell(cell)
    if column.part == "interval":
        return Entry(_interval(column, cell) or DASH, missing=not _interval(column, cell))
    if column.part == "changed":
        return _changed(cell, used)
    value = getattr(cell, column.part)
    if value is None and column.part == "value" and cell.why:
        return Entry(NOT_RUN, _letter(f"not run: {cell.why}", letters), missing=True)
    if value is None:
        return Entry(DASH, missing=True)
    marks = ""
    if column.part == "value":
        marks = _letter(cell.note, letters)
        if cell.p_holm is not None and cell.p_holm <= CLEAR:
            marks += CLEAR_MARK
            used.setdefault(CLEAR_MARK)
    elif column.part == "published" and cell.mark:
        marks = cell.mark
        used.setdefault(cell.mark)
    interval = f" {_interval(column, cell)}" if column.within and _interval(column, cell) else ""
    return Entry(_number(column, value) + interval, marks)


def _interval(column: Column, cell: Cell) -> str:
    """'[1.0, 3.0]', the lower end first also where the sign is turned; empty where there is none."""
    if cell.low is None or cell.high is None:
        return ""
    low, high = sorted((cell.low, cell.high), key=lambda end: end * column.scale)
    return f"[{_number(column, low)}, {_number(column, high)}]"


def _changed(cell: Cell, used: dict[str, None]) -> Entry:
    """'3/1': the clips that one of two models alone has right; marked where they are few."""
    if cell.only_first is None or cell.only_second is None:
        return Entry(DASH, missing=True)
    few = cell.only_first + cell.only_second < FEW
    if few:
        used.setdefault(FEW_MARK)
    return Entry(f"{cell.only_first}/{cell.only_second}", FEW_MARK if few else "")


def _number(column: Column, value: float) -> str:
    if column.p:
        return p_value(value)
    if column.floor and 0 < value * column.scale < 0.5 * 10**-column.decimals:
        return f"< {10**-column.decimals:.{column.decimals}f}"
    decimals = 0 if isinstance(value, int) and column.scale == 1 else column.decimals  # a count
    if column.exact:
        decimals = max(column.decimals, len(f"{value:g}".partition(".")[2]))
    return number(value * column.scale, decimals, column.signed or column.part == "difference")


def _letter(reason: str, letters: dict[str, str]) -> str:
    """a, b, ..., z, aa, ab, ... for each reason, the same reason once."""
    if not reason:
        return ""
    if reason not in letters:
        n, letter = len(letters), ""
        while n >= 0:
            letter, n = chr(ord("a") + n % 26) + letter, n // 26 - 1
        letters[reason] = letter
    return letters[reason]
