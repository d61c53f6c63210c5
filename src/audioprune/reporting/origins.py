"""Where the numbers of a row come from: links to evaluations and to cells, each of which says how it is made again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from audioprune.cells.kinds import KINDS
from audioprune.exhibits.forms import Link
from audioprune.exhibits.table import Cell, Row
from audioprune.reporting.explorer import anchor
from audioprune.results import costs

if TYPE_CHECKING:
    from audioprune.reporting.explorer import Explorer
    from audioprune.results.study import Result, Results


@dataclass(frozen=True)
class Origins:
    """Of the rows and figures of a report."""

    results: Results
    explorer: Explorer

    def of_row(self, row: Row) -> tuple[Link, ...]:
        """An evaluation as a row of the explorer, which leads to the count of its MACs too; all else as a cell."""
        found = [*row.rests_on, *_paths(row)]
        if "gmacs" in row.cells and not any(anchor(path) in self.explorer.by_cell for path in found):
            found += [path for own in found[:1] for path in self._counts(own)]
        return self.of_paths(found)

    def of_paths(self, paths: Iterable[str]) -> tuple[Link, ...]:
        """In the order of kinds; those that are not of this study are left out."""
        known = [path for path in dict.fromkeys(paths) if path in self._known]
        order = [*KINDS]
        led = sorted(known, key=lambda path: order.index(_kind(path)))
        return tuple(itertools.chain.from_iterable(self._links(k, [*own]) for k, own in itertools.groupby(led, _kind)))

    def _counts(self, path: str) -> list[str]:
        """The cells that counted the MACs of the model of an evaluation or a timing."""
        return costs.counted_in(self.results, self._known[path]) if path in self._known else []

    def _links(self, kind: str, paths: list[str]) -> Iterator[Link]:
        rows = self.explorer.by_cell
        pooled = dict.fromkeys(rows.get(anchor(path)) for path in paths)
        for n, one in enumerate(filter(None, pooled)):
            yield Link(one.anchor, str(n + 1) if n else "results", f"results: {one.said}")
        alone = [path for path in paths if anchor(path) not in rows]
        for n, path in enumerate(alone):
            yield Link(anchor(path), str(n + 1) if n else kind, f"{kind} {n + 1}")

    @cached_property
    def _known(self) -> dict[str, Result]:
        return {r.path: r for r in self.results.all()}


def _kind(path: str) -> str:
    return path.partition("/")[0]


def _paths(row: Row) -> Iterator[str]:
    for one in row.cells.values():
        if isinstance(one, Cell):
            yield from one.rests_on
