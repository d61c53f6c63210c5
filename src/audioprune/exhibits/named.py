"""Exhibits by name: modules of audioprune.tables and audioprune.figures, and rows of report/exhibits.yaml.

A module that draws for itself has TITLE, CAPTION, `needs(study)`, and `build(results)` (a table) or `draw(results)`
(a figure) with `seen(rows)`, which says what is seen, from the rows of its CSV. One that draws rows has `Shows`, the
model of what a row shows, and gets it as a second argument. The paper's numbers are rows: a table's names the module
that builds it, a figure's the module that draws it and what it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING

import yaml
from pydantic import TypeAdapter, ValidationError

from audioprune import registry
from audioprune.cells.cell import DEFAULT_STUDY
from audioprune.errors import UserError
from audioprune.settings.closed import Closed
from audioprune.settings.exhibits import ExhibitSettings, Row

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

FILE = Path(__file__).resolve().parents[3] / "report" / "exhibits.yaml"
PACKAGES = {"table": "tables", "figure": "figures"}  # of each kind


@dataclass(frozen=True)
class Figure:
    """A figure by a row: what a module would have that draws it alone."""

    TITLE: str
    CAPTION: str
    module: ModuleType
    shows: Closed

    def needs(self, study: Cells) -> list:
        return self.module.needs(study, self.shows)

    def draw(self, results: Results) -> tuple:
        return self.module.draw(results, self.shows)

    def seen(self, rows: Sequence[Mapping[str, str]]) -> str:
        return self.module.seen(rows)


Exhibit = ModuleType | Figure


def names(kind: str) -> tuple[str, ...]:
    """Names of all tables or figures: modules that draw for themselves, and rows."""
    given = {name: row for name, row in rows().items() if _kind(row) == kind}
    alone = {*registry.names(PACKAGES[kind])} - {row.draw for row in given.values()}
    return tuple(sorted(alone | given.keys()))


def kind_of(name: str) -> str:
    """table or figure; raises UserError naming the nearest."""
    found = {own: kind for kind in PACKAGES for own in names(kind)}
    if name not in found:
        raise UserError(f"no exhibit is named {name!r}{registry.nearest(name, [*found, 'report'])}")
    return found[name]


def target(study: str, file: str) -> str:
    """Path of a study's file as users type it."""
    return str(PurePosixPath("results") / ("" if study == DEFAULT_STUDY else study) / file)


def rows() -> dict[str, Row]:
    """{name of an exhibit: its row}; raises UserError naming the place and the mend."""
    return _read(FILE)


@cache
def _read(path: Path) -> dict[str, Row]:
    try:
        found = TypeAdapter(dict[str, Row]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError, FileNotFoundError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        raise _wrong(f"{path}", error) from None
    valid = [name for package in PACKAGES.values() for name in registry.names(package)]
    for name, row in found.items():
        if row.draw not in valid:
            raise UserError(f"{path}: {name}: nothing is drawn by {row.draw!r}{registry.nearest(row.draw, valid)}")
        if _kind(row) == "table" and (row.title or row.caption or row.shows):
            raise UserError(f"{path}: {name}: a table's row says `draw` alone; its module has title and caption")
        if _kind(row) == "figure" and not row.title:
            raise UserError(f"{path}: {name}: a figure's row needs a title")
    return found


def _wrong(place: str, error: ValidationError) -> UserError:
    lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']} (value: {e.get('input')!r})" for e in error.errors()]
    return UserError("\n".join([f"{place} is not valid:", *lines]))


def row_of(kind: str, name: str) -> Row | None:
    """The row of an exhibit; None for one that its module draws alone."""
    row = rows().get(name)
    return row if row and _kind(row) == kind else None


def _kind(row: Row) -> str:
    """table or figure: whose module draws it; no two of them have one name."""
    return "table" if row.draw in registry.names(PACKAGES["table"]) else "figure"


def get(kind: str, name: str) -> Exhibit:
    """An exhibit by its kind and name, from its module or the current file of rows."""
    row = row_of(kind, name)
    return of_row(row) if row else _module(kind, name)


def of(kind: str, settings: ExhibitSettings) -> Exhibit:
    """The exhibit that a cell's settings name; nothing is read that was not planned."""
    return of_row(settings.row) if settings.row else _module(kind, settings.name)


def of_row(row: Row) -> Exhibit:
    """Raises UserError if the module does not draw rows, or not such a row."""
    if _kind(row) == "table":
        return _module("table", row.draw)
    module = _module("figure", row.draw)
    if not hasattr(module, "Shows"):
        raise UserError(f"{FILE.name}: {row.title!r}: {row.draw} is a figure of its own and draws no rows")
    try:
        shows = module.Shows.model_validate(row.shows)
    except ValidationError as error:
        raise _wrong(f"{FILE.name}: {row.title!r}: shows", error) from None
    return Figure(row.title, row.caption or module.CAPTION, module, shows)


def module_of(kind: str, name: str) -> str:
    """Dotted name of the module that draws an exhibit."""
    row = row_of(kind, name)
    return registry.module_name(PACKAGES[kind], row.draw if row else name)


def _module(kind: str, name: str) -> ModuleType:
    return registry.get(PACKAGES[kind], name)
