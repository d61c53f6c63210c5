"""A planned cell: its kind, its readable address, its settings, what it takes in, and the key over all of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from audioprune.records import RECORD

DEFAULT_STUDY = "paper"  # its results lie in results/ itself
RESULTS = Path("results")
KEY_LENGTH = 16  # hexadecimal digits of the key in a path: 64 bits


@dataclass(frozen=True, eq=False)
class Cell:
    """One thing worth hours. Two cells are the same cell when their kinds, addresses and keys are the same."""

    kind: str
    address: str
    settings: Any  # the model of its kind (audioprune.cells.kinds)
    inputs: dict[str, Cell] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)  # of data that no cell makes
    plugins: tuple[str, ...] = ()  # dotted names of the pluggable modules it names
    key: str = ""
    note: str = ""  # why it cannot be made yet, if so (pending data)

    @cached_property
    def dir(self) -> Path:
        return RESULTS / "cells" / self.kind / self.address / self.key

    @cached_property
    def path(self) -> str:
        """`<kind>/<address>/<key>`: what identifies it on a command line."""
        return f"{self.kind}/{self.address}/{self.key}"

    @property
    def log(self) -> Path:
        return RESULTS / "logs" / self.kind / self.address / f"{self.key}.log"

    @property
    def record(self) -> Path:
        return self.dir / RECORD

    @property
    def resume(self) -> Path:
        """Folder of its resume points, which outlives a failed job."""
        return RESULTS / "resume" / self.key

    @property
    def lease(self) -> Path:
        return RESULTS / "logs" / "leases" / self.key

    def upstream(self) -> dict[str, Cell]:
        """{path: cell} of everything this cell is made from, itself included, inputs first."""
        found: dict[str, Cell] = {}
        _add(self, found)
        return found


def _add(cell: Cell, found: dict[str, Cell]) -> None:
    if cell.path not in found:
        for upstream in cell.inputs.values():
            _add(upstream, found)
        found[cell.path] = cell


def study_folder(study: str) -> Path:
    """Where users find a study's tables, figures and report."""
    return RESULTS if study == DEFAULT_STUDY else RESULTS / study
