"""Checkpoints stored in the repository: the tiny backbones, pre-trained by this workflow on audio that it generates.

A row of workflow/sources.yaml with `pretraining` is one: workflow/checkpoints/<backbone>.safetensors, pinned by its
content digest as any other source, and beside it a .json with the records of the cells that made it: settings, corpus,
code, versions, commit.
"""

from __future__ import annotations

import json
from pathlib import Path

from audioprune.errors import UserError
from audioprune.fingerprints.fingerprint import code_of_kind, counted_in
from audioprune.sources import catalogue

FOLDER = catalogue.FILE.parent / "checkpoints"


def names() -> tuple[str, ...]:
    """The sources that lie in the repository."""
    return tuple(name for name, row in catalogue.load().items() if row.pretraining)


def weights_of(source: str) -> Path:
    """Where a source's weights lie."""
    return FOLDER / f"{source.removeprefix(catalogue.CHECKPOINT)}.safetensors"


def records_of(source: str) -> list[dict]:
    """Records of the cells that made it, what they take in first, each with its `plugins`."""
    path = weights_of(source).with_suffix(".json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{path} cannot be read: restore it from the repository, or run `make checkpoints`") from None


def changed(source: str) -> tuple[str, ...]:
    """Modules whose code is not what made the checkpoint, in the order of the steps; none where all is as then."""
    found: dict[str, None] = {}
    for record in records_of(source):
        then, now = counted_in(record), code_of_kind(record["kind"], tuple(record["plugins"]))[1]
        found |= dict.fromkeys(name for name in sorted(then | now) if then.get(name) != now.get(name))
    return tuple(found)
