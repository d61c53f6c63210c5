"""Job files: the cells that a job makes with all their inputs, in a file named by its own digest.

A job plans nothing. Its file is written by the main process when the run begins, never by a dry run, and lies in
results/logs/jobs/<key>-<digest>.json: `key` is that of its cell or its batch, `digest` that of the file's bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from audioprune import records, registry
from audioprune.cells.cell import KEY_LENGTH, RESULTS, Cell
from audioprune.cells.kinds import KINDS
from audioprune.errors import UserError
from audioprune.facts.recogniser import CTC, RECOGNISERS
from audioprune.fingerprints.keys import code_of

FOLDER = RESULTS / "logs" / "jobs"


@dataclass(frozen=True)
class Given:
    """A job's file, read back."""

    cells: tuple[tuple[Cell, str], ...]  # what the job makes, each with the fingerprint of its code
    gpus: int
    alone: bool  # with nothing else running beside it


@dataclass(frozen=True, eq=False)
class JobFile:
    """The file of a job that makes `cells`, in this order; `key` names the job."""

    key: str
    cells: Sequence[Cell]

    @property
    def gpus(self) -> int:
        return max(map(gpus, self.cells))

    @property
    def alone(self) -> bool:
        return any(KINDS[cell.kind].alone for cell in self.cells)

    @cached_property
    def text(self) -> str:
        graph: dict[str, Cell] = {}
        for cell in self.cells:
            graph |= cell.upstream()
        numbers = {path: number for number, path in enumerate(graph)}
        content = {
            "cells": {cell.path: code_of(cell.kind, cell.plugins) for cell in self.cells},
            "gpus": self.gpus,
            "alone": self.alone,
            "graph": [_node(cell, numbers) for cell in graph.values()],
        }
        return json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n"

    @cached_property
    def path(self) -> Path:
        return FOLDER / f"{self.key}-{_digest(self.text.encode())}.json"

    def write(self) -> None:
        """Write the file even if it exists: it may be damaged, and the newest of a job's files counts."""
        records.write_text(self.path, self.text)


def of_key(key: str) -> Path:
    """The newest file of a job, for a process that was not there when it was planned."""
    found = sorted(FOLDER.glob(f"{key}-*.json"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise UserError(f"{FOLDER}/{key}-*.json is missing; run Snakemake again: it writes the files of its jobs")
    return found[-1]


def read(path: Path) -> Given:
    """A job's file; raises UserError where it is not there or its bytes are not those that its name says."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run Snakemake again: it writes the files of its jobs") from None
    if _digest(text) != path.stem.rpartition("-")[2]:
        raise UserError(f"{path} was changed: its digest is not the one in its name; run Snakemake again")
    content = json.loads(text)
    graph: list[Cell] = []
    for node in content["graph"]:
        graph.append(_cell(node, graph))
    planned = {cell.path: cell for cell in graph}
    cells = tuple((planned[cell], code) for cell, code in content["cells"].items())
    return Given(cells, content["gpus"], content["alone"])


def gpus(cell: Cell) -> int:
    """One GPU for a model of published size; tiny ones run on the processor, and so does all that needs no model."""
    if not KINDS[cell.kind].gpu:
        return 0
    return 0 if small(cell) else 1


def small(cell: Cell) -> bool:
    """Whether the model that a cell runs needs no GPU."""
    if recogniser := getattr(cell.settings, "recogniser", ""):
        return (RECOGNISERS | CTC)[recogniser].small
    model = getattr(cell.settings, "model", None) or cell.inputs["finetune"].settings.model
    return registry.backbone(model.backbone).size.small


def _node(cell: Cell, numbers: dict[str, int]) -> dict[str, Any]:
    """A cell as JSON; what it is made from by number, and by name where that is not its path."""
    inputs: Any = {name: numbers[upstream.path] for name, upstream in cell.inputs.items()}
    if all(name == upstream.path for name, upstream in cell.inputs.items()):
        inputs = list(inputs.values())
    node = {"kind": cell.kind, "address": cell.address, "key": cell.key, "inputs": inputs}
    node |= {"settings": cell.settings.model_dump(mode="json")}
    more = {"digests": cell.digests, "plugins": cell.plugins, "note": cell.note}
    return node | {name: value for name, value in more.items() if value}


def _cell(node: dict[str, Any], before: Sequence[Cell]) -> Cell:
    taken = node["inputs"]
    taken = {before[n].path: n for n in taken} if isinstance(taken, list) else taken
    settings = KINDS[node["kind"]].settings.model_validate(node["settings"])
    return Cell(
        node["kind"],
        node["address"],
        settings,
        {name: before[number] for name, number in taken.items()},
        node.get("digests", {}),
        tuple(node.get("plugins", ())),
        node["key"],
        node.get("note", ""),
    )


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:KEY_LENGTH]
