"""Batches: small cells made by one process, since starting Python with torch costs more than evaluating a tiny model.

What may share a process stands in the kinds' rows (audioprune.cells.kinds): all stale cells of a run that are evaluated
from one fine-tuning, a few that meet the same disturbed clips, all transcripts by one trained recogniser, a few counted
or timed models, two dozen tables and figures of a study. A batch's stamp stands for the records of its cells until they
are there.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from audioprune.cells.cell import KEY_LENGTH, RESULTS, Cell
from audioprune.cells.kinds import KINDS

FOLDER = RESULTS / "logs" / "batches"
DRAWN = "exhibits"  # begins the labels of batches that draw


@dataclass(frozen=True, eq=False)
class Batch:
    """Cells of one batch, in the order in which they can be made."""

    label: str
    cells: tuple[Cell, ...]

    @cached_property
    def key(self) -> str:
        """16 digits over its cells."""
        return hashlib.sha256("\n".join(cell.path for cell in self.cells).encode()).hexdigest()[:KEY_LENGTH]

    @property
    def stamp(self) -> Path:
        return FOLDER / self.label / f"{self.key}.done"

    @property
    def inputs(self) -> list[Cell]:
        """What its cells take in and it does not make itself."""
        own = {cell.path for cell in self.cells}
        return list({c.path: c for cell in self.cells for c in cell.inputs.values() if c.path not in own}.values())


def batches_of(cells: Iterable[Cell]) -> dict[str, Batch]:
    """{path of a cell: its batch} for those of the cells that are worth batching; single cells are left out."""
    groups: dict[tuple[str, int], list[Cell]] = defaultdict(list)
    for cell in cells:
        if label := _label(cell):
            groups[label, KINDS[cell.kind].at_once].append(cell)
    parts = []
    for (label, at_once), group in groups.items():
        number = -(-len(group) // at_once) if at_once else 1
        parts += [(label, group[first::number]) for first in range(number)]  # like takes as long as like
    batches = (Batch(label, tuple(sorted(part, key=_order))) for label, part in parts if len(part) > 1)
    return {cell.path: batch for batch in batches for cell in batch.cells}


def _label(cell: Cell) -> str:
    """What the cells of a batch have in common; nothing of a cell that is made alone."""
    together = KINDS[cell.kind].together
    if not together:
        return ""
    if together == "finetuning":
        return tuned_of(cell).path
    if together == "noise":  # models that are tested on the same clips share them, disturbed
        return f"{cell.kind}/{cell.inputs['audio'].path}/fold{tuned_of(cell).settings.fold}"
    if together == "recogniser":  # arms share what they compute before a selection
        model = cell.inputs.get("recognise") or cell.inputs["checkpoint"]
        return f"{model.path}/{cell.settings.dataset}"
    return f"{DRAWN}/{cell.settings.study}" if KINDS[cell.kind].draws else cell.kind


def tuned_of(cell: Cell) -> Cell:
    """The fine-tuning that an evaluated cell comes from."""
    while cell.kind != "finetune":
        cell = cell.inputs.get("finetune") or cell.inputs["trace"]
    return cell


def _order(cell: Cell) -> tuple[int, str]:
    return [*KINDS].index(cell.kind), cell.address
