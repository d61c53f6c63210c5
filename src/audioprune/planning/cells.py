"""A planned cell: its kind, its readable address, its settings, what it takes in, and the key over all of these."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from audioprune.config import DEFAULT_STUDY
from audioprune.planning.fingerprint import fingerprint
from audioprune.planning.keyed import keyed
from audioprune.records import RECORD, canonical
from audioprune.settings import Closed

RESULTS = Path("results")
KEY_LENGTH = 16  # hexadecimal digits of the key in a path: 64 bits

# Fields that say where data lies, not what it is: the digest of the data, the CSV as parsed included, stands in the key
# instead.
UNKEYED = {"audio": {"user": {"folder", "csv"}}}


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


def code_of(kind: str, plugins: tuple[str, ...]) -> str:
    """Fingerprint of a kind's code. What is fetched is pinned by its content digest, so fetching code is not keyed."""
    return "" if kind == "fetch" else fingerprint(kind, plugins)


def keyed_settings(kind: str, settings: Closed) -> dict:
    """The settings that enter the key: fields that differ from their pinned defaults, places of data left out."""
    return _without(keyed(settings), UNKEYED.get(kind, {}))


def _without(found: dict, places: Mapping[str, Iterable] | Iterable[str]) -> dict:
    """Without fields by name; {name: fields} are those of the model inside."""
    kept = dict(found)
    for name in places:
        inner = places[name] if isinstance(places, Mapping) else None
        if inner is None:
            kept.pop(name, None)
        elif isinstance(kept.get(name), dict):
            kept[name] = _without(kept[name], inner)
    return kept


def key_of(kind: str, settings: Closed, inputs: dict[str, str], digests: dict[str, str], code: str) -> str:
    """Content key: SHA-256 over canonical JSON of settings, input keys, data digests and code, cut to 16 digits."""
    content = {
        "kind": kind,
        "settings": keyed_settings(kind, settings),
        "inputs": inputs,
        "digests": digests,
        "code": code,
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:KEY_LENGTH]
