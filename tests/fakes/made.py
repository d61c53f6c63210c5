"""Cells as if their steps had made them, and runs that leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from audioprune import records
from audioprune.cells.cell import Cell, study_folder
from audioprune.cells.kinds import KINDS
from audioprune.planning.exhibits import name_of
from audioprune.planning.plan import Plan
from audioprune.planning.run import Run


def pretend(cells: Iterable[Cell]) -> None:
    """The small files and the records that finished steps leave, as far as states look at them."""
    for cell in cells:
        cell.dir.mkdir(parents=True, exist_ok=True)
        for file in files(cell):
            file.write_text(cell.path)
        cell.record.write_text(json.dumps({"key": cell.key, "files": records.listing(cell.dir)}))


def files(cell: Cell) -> list[Path]:
    """What `pretend` leaves of a cell besides its record."""
    suffixes = KINDS[cell.kind].files
    return [cell.dir / f"{name_of(cell)}.{suffix}" for suffix in suffixes] or [cell.dir / "data.bin"]


def copy(cells: Iterable[Cell]) -> None:
    """The files of exhibits under the names that users type."""
    for cell in cells:
        folder = study_folder(cell.settings.study)
        folder.mkdir(exist_ok=True)
        for file in files(cell):
            shutil.copy(file, folder)


@contextlib.contextmanager
def run_of(*targets: str) -> Iterator[Run]:
    """A run; its lock and its digests do not outlive the folder it is in."""
    run = Run(Plan(), lambda: set(targets))
    try:
        yield run
    finally:
        run.states.digests.save()
        if hasattr(run, "_lock"):
            run._lock.close()
