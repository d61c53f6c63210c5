"""Exhibits of a report drawn by one process: loading pandas and matplotlib takes longer than drawing most of them.

A sheet is a dozen stale exhibits of a study whose report is asked for. Like a batch of cells, its list is written while
planning, in the main process, and its stamp stands for its exhibits until they are there.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from audioprune import records
from audioprune.planning.cells import RESULTS

FOLDER = RESULTS / "logs" / "sheets"
AT_ONCE = 12
Exhibit = tuple[str, str, str]  # study, kind, name


@dataclass(frozen=True, eq=False)
class Sheet:
    """Exhibits of one study, each with the key that it is planned with."""

    keys: dict[Exhibit, str]

    @cached_property
    def name(self) -> str:
        """`<study>/<16 digits over its exhibits and keys>`: a wildcard of the rule."""
        study = next(iter(self.keys))[0]
        digest = hashlib.sha256(records.canonical(self._listed).encode()).hexdigest()
        return f"{study}/{digest[:16]}"

    @property
    def _listed(self) -> list[list[str]]:
        return [[*exhibit, key] for exhibit, key in self.keys.items()]

    @property
    def stamp(self) -> Path:
        return FOLDER / f"{self.name}.done"

    def write(self, inputs: list[str]) -> None:
        """`inputs`: the files that its exhibits take in."""
        records.write_json(list_of(self.name), {"exhibits": self._listed, "inputs": inputs})


def list_of(name: str) -> Path:
    return FOLDER / f"{name}.json"


def read(name: str) -> dict:
    """A written list: {exhibits: [[study, kind, name, key]], inputs: [file]}; raises FileNotFoundError."""
    return json.loads(list_of(name).read_text(encoding="utf-8"))


def sheets_of(exhibits: Iterable[tuple[Exhibit, str]]) -> dict[Exhibit, Sheet]:
    """{exhibit: its sheet}, of exhibits with their keys; one alone in its study needs none."""
    studies: dict[str, list] = defaultdict(list)
    for exhibit, key in exhibits:
        studies[exhibit[0]].append((exhibit, key))
    parts = []
    for found in studies.values():
        number = -(-len(found) // AT_ONCE)
        parts += [dict(found[first::number]) for first in range(number) if len(found) > 1]  # like takes as long as like
    return {exhibit: sheet for sheet in map(Sheet, parts) for exhibit in sheet.keys}
