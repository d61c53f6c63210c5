"""Small cells made by one process: starting Python with torch costs more than an evaluation of a tiny model.

A batch is all stale cells of a run that are evaluated from one fine-tuning, or a few counted or timed models. Its
list is written while planning, in the main process; its stamp stands for their records until they are there.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from audioprune import records, registry
from audioprune.planning.cells import RESULTS, Cell

FOLDER = RESULTS / "logs" / "batches"
EVALUATED = ("evaluate", "trace", "tokens", "discard")  # of a fine-tuning, in the order in which they need each other
COUNTED, TIMED = "macs", "throughput"  # timed with nothing else running beside it
AT_ONCE = 8  # of those


@dataclass(frozen=True, eq=False)
class Batch:
    """Cells of one batch, in the order in which they can be made."""

    label: str
    cells: tuple[Cell, ...]

    @cached_property
    def name(self) -> str:
        """`<label>/<16 digits over its cells>`: a wildcard of the rule."""
        digest = hashlib.sha256("\n".join(cell.path for cell in self.cells).encode()).hexdigest()
        return f"{self.label}/{digest[:16]}"

    @property
    def stamp(self) -> Path:
        return FOLDER / f"{self.name}.done"

    @property
    def inputs(self) -> list[Cell]:
        """What its cells take in and it does not make itself."""
        own = {cell.path for cell in self.cells}
        return list({c.path: c for cell in self.cells for c in cell.inputs.values() if c.path not in own}.values())

    def write(self) -> None:
        listed = {
            "cells": [json.loads(cell.as_json()) for cell in self.cells],
            "inputs": [str(cell.dir / records.RECORD) for cell in self.inputs],
            "gpus": max(gpus(cell) for cell in self.cells),
            "alone": any(cell.kind == TIMED for cell in self.cells),
        }
        records.write_json(list_of(self.name), listed)


def list_of(name: str) -> Path:
    return FOLDER / f"{name}.json"


def read(name: str) -> dict:
    """A written list: {cells, inputs, gpus, alone}; raises FileNotFoundError."""
    return json.loads(list_of(name).read_text(encoding="utf-8"))


def batches_of(cells: Iterable[Cell]) -> dict[str, Batch]:
    """{path of a cell: its batch} for those of the cells that are worth batching; single cells are left out."""
    groups: dict[str, list[Cell]] = defaultdict(list)
    number = Counter()
    for cell in cells:
        if cell.kind in EVALUATED:
            groups[tuned_of(cell).path].append(cell)
        elif cell.kind in (COUNTED, TIMED):
            groups[f"{cell.kind}/{number[cell.kind] // AT_ONCE}"].append(cell)
            number[cell.kind] += 1
    batches = (Batch(label, tuple(sorted(group, key=_order))) for label, group in groups.items() if len(group) > 1)
    return {cell.path: batch for batch in batches for cell in batch.cells}


def tuned_of(cell: Cell) -> Cell:
    """The fine-tuning that an evaluated cell comes from."""
    while cell.kind != "finetune":
        cell = cell.inputs.get("finetune") or cell.inputs["trace"]
    return cell


def gpus(cell: Cell) -> int:
    """One GPU for a model of published size; tiny ones run on the processor, and so does counting."""
    if cell.kind == COUNTED:
        return 0
    model = getattr(cell.settings, "model", None) or tuned_of(cell).settings.model
    return 0 if registry.backbone(model.backbone).size.small else 1


def _order(cell: Cell) -> tuple:
    return (EVALUATED.index(cell.kind) if cell.kind in EVALUATED else 0, cell.address)
