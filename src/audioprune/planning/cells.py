"""A planned cell: its kind, its readable address, its settings, what it takes in, and the key over all of these."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from audioprune.planning.fingerprint import fingerprint
from audioprune.records import canonical
from audioprune.settings import Closed

RESULTS = Path("results")
KEY_LENGTH = 16  # hexadecimal digits of the key in a path: 64 bits

# Fields that say where data lies, not what it is: the digest of the data stands in the key instead.
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
                "settings": self.settings.model_dump(mode="json", exclude_defaults=True),
                "inputs": {name: str(cell.dir) for name, cell in self.inputs.items()},
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
    """The settings that enter the key: fields that differ from their defaults, places of data left out."""
    return settings.model_dump(mode="json", exclude_defaults=True, exclude=UNKEYED.get(kind))


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


def matches(cell, wanted: dict) -> bool:
    """Whether a cell has all wanted values, looked for in its settings, then in its trace's and its fine-tuning's.

    Names: any field of the settings; `backbone`, `method`, `keep_rate` of the nested model and pruning blocks.
    """
    return all(value_of(cell, name) == value for name, value in wanted.items())


def value_of(cell, name: str):
    """A named value of a cell (see `matches`); None where it has none."""
    settings = cell.settings
    if name == "backbone":
        settings = getattr(settings, "model", None)
    elif name in ("method", "keep_rate", "options", "blocks") and hasattr(settings, "pruning"):
        settings = settings.pruning
    if settings is not None and hasattr(settings, name):
        return getattr(settings, name)
    upstream = next((cell.inputs[kind] for kind in ("trace", "finetune") if kind in cell.inputs), None)
    return None if upstream is None else value_of(upstream, name)


def as_trained(cell) -> bool:
    """Whether an evaluation or a trace prunes as its model was trained to, unperturbed."""
    perturbation = getattr(cell.settings, "perturbation", "none")
    return perturbation == "none" and cell.settings.pruning == cell.inputs["finetune"].settings.pruning
