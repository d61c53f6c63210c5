"""A planned cell: its kind, its readable address, its settings, what it takes in, and the key over all of these."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audioprune.planning.fingerprint import fingerprint
from audioprune.planning.keyed import keyed
from audioprune.records import canonical
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
    settings: Closed
    inputs: dict[str, Cell] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)  # of data that no cell makes
    plugins: tuple[str, ...] = ()  # dotted names of the pluggable modules it names
    key: str = ""
    note: str = ""  # why it cannot be made yet, if so (pending data)

    @property
    def dir(self) -> Path:
        return RESULTS / "cells" / self.kind / self.address / self.key

    @property
    def path(self) -> str:
        """`<kind>/<address>/<key>`: what identifies it on a command line."""
        return f"{self.kind}/{self.address}/{self.key}"

    @property
    def log(self) -> Path:
        return RESULTS / "logs" / self.kind / self.address / f"{self.key}.log"

    def upstream(self) -> dict[str, Cell]:
        """{path: cell} of everything this cell is made from, itself included, inputs first."""
        found: dict[str, Cell] = {}
        for cell in self.inputs.values():
            found.update(cell.upstream())
        found[self.path] = self
        return found

    def as_json(self) -> str:
        """What its step is given on the command line (see audioprune.steps._run)."""
        return json.dumps(
            {
                "kind": self.kind,
                "address": self.address,
                "key": self.key,
                "code": code_of(self.kind, self.plugins),
                "plugins": list(self.plugins),
                "settings": self.settings.model_dump(mode="json"),
                "inputs": {name: str(cell.dir) for name, cell in self.inputs.items()},
                "digests": self.digests,
                "out": str(self.dir),
                "resume": str(RESULTS / "resume" / self.key),
                "lease": str(RESULTS / "logs" / "leases" / self.key),
            },
            sort_keys=True,
        )


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
