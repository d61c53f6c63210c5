"""What exhibits are built from: the cells of a study with their records on disk, and nothing else.

A `Result` is a planned cell with what it left. `Results.cells` finds them by kind and by values of their settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from audioprune import records, registry
from audioprune.cells.kinds import KINDS
from audioprune.cells.query import matches

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.cell import Cell
    from audioprune.facts.dataset import Dataset
    from audioprune.settings.exhibits import Contrast

Made = TypeVar("Made")
SMALL = 1 << 16  # bytes of a file whose frame is kept: opening it takes longer than reading its rows


class Result:
    """A planned cell and its files: `.ok` says whether its record exists and is this cell's, `.why` says why not."""

    def __init__(self, cell: Cell, inputs: dict[str, Result]):
        self.kind, self.address, self.key, self.settings = cell.kind, cell.address, cell.key, cell.settings
        self.dir, self.inputs, self.note = Path(cell.dir), inputs, getattr(cell, "note", "")
        self.cache: dict[str, Any] = {}  # what was computed from it, by name
        self._frames: dict[Path, pd.DataFrame] = {}

    @property
    def path(self) -> str:
        return f"{self.kind}/{self.address}/{self.key}"

    @cached_property
    def _read(self) -> tuple[dict, str]:
        try:
            record = records.read(self.dir)
        except FileNotFoundError:
            return {}, self._missing()
        except (json.JSONDecodeError, UnicodeDecodeError):
            return {}, f"the record of {self.kind} {self.address} is damaged"
        if record.get("key") != self.key:
            return {}, f"the record of {self.kind} {self.address} has another key"
        return record, ""

    @property
    def record(self) -> dict:
        return self._read[0]

    @property
    def why(self) -> str:
        """Why it is missing; empty when it is there."""
        return self._read[1]

    @property
    def ok(self) -> bool:
        return not self.why

    def _missing(self) -> str:
        """The first missing input upstream, since that is what has to be made."""
        if self.note:
            return self.note
        absent = [r for r in self.inputs.values() if not r.ok]
        return absent[0].why if absent else f"{self.kind} {self.address} is not made yet"

    def frame(self, name: str = "") -> pd.DataFrame:
        """A file of the cell as a frame: the main one of its kind, or the one named."""
        import pandas as pd

        path = self.dir / (name or KINDS[self.kind].frame)
        if path in self._frames:
            return self._frames[path].copy(deep=False)  # pandas copies what is changed
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        if path.stat().st_size <= SMALL:
            self._frames[path] = frame.copy(deep=False)
        return frame

    def predictions(self) -> pd.DataFrame:
        """Per-clip predictions of an evaluation: clip, recording, speaker, labels, scores."""
        return self.frame("predictions.parquet")


class Results:
    """The cells of one study, and the contrasts that it declares.

    `datasets(name)` gives a dataset's facts; by default those of its module. `known` holds results by their paths and
    gets those that are new: exhibits that are given the same share what was read of a cell and computed from it.
    """

    def __init__(
        self,
        study: str,
        cells: Iterable[Cell],
        datasets: Callable[[str], Dataset] | None = None,
        contrasts: tuple[Contrast, ...] = (),
        known: dict[str, Result] | None = None,
    ):
        self.study, self.dataset, self.contrasts = study, datasets or module_facts, contrasts
        self._known = {} if known is None else known
        self._by_path: dict[str, Result] = {}  # inputs first
        self._cells = [self._result(cell) for cell in cells]
        self._cache: dict[str, Any] = {}

    def _result(self, cell: Cell) -> Result:
        path = f"{cell.kind}/{cell.address}/{cell.key}"
        if path not in self._by_path:
            inputs = {name: self._result(upstream) for name, upstream in cell.inputs.items()}
            self._by_path[path] = self._known.setdefault(path, Result(cell, inputs))
        return self._by_path[path]

    def cells(self, kind: str = "", **wanted: Any) -> list[Result]:
        """The study's cells of a kind that have all wanted values (see cells.query.matches), each once, in order."""
        found = {r.path: r for r in self._cells if (not kind or r.kind == kind) and matches(r, wanted)}
        return list(found.values())

    def cell(self, path: str) -> Result:
        """The cell with this kind/address/key."""
        return self._by_path[path]

    def all(self) -> list[Result]:
        """The study's cells and everything they are made from, inputs first, each once."""
        return list(self._by_path.values())

    def published(self, name: str) -> pd.DataFrame:
        """Published values of an exhibit: report/published/<name>.csv."""
        from audioprune.results import published

        return published.load(name)

    def cached(self, name: str, make: Callable[[Results], Made], of: Sequence[str] = ()) -> Made:
        """What `make` gives, made once for each name; of: paths of the cells that it follows from, if from them alone.

        What follows from named cells alone is kept with the first of them, and so shared with other exhibits.
        """
        cache = self.cell(of[0]).cache if of else self._cache
        if name not in cache:
            cache[name] = make(self)
        return cache[name]


def module_facts(name: str) -> Dataset:
    return registry.dataset(name)
