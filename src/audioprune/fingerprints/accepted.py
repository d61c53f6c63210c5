"""Accepted changes of code: workflow/accepted.yaml, written by `audioprune accept`, kept in git.

A change says, for one kind of cell, that a module with the hash `new` gives the results that it gave with the hash
`old`. Keys are then computed as if the old module still stood there, with what it imported (see
fingerprints.fingerprint.counted). Chains are followed, so the oldest code gives the key. A change that brought modules
into the closure holds only while those have the hashes that they had when it was accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from audioprune import records
from audioprune.errors import UserError
from audioprune.settings.closed import Closed

FILE = Path(__file__).parents[3] / "workflow" / "accepted.yaml"
HEADER = """\
# Changes of code that give the same results, each vouched for by whoever ran `audioprune accept`. Results made with the
# old code stay good; every report lists these. To take one back, remove its entry: its cells are then made again.

"""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Change(Closed):
    """One module, before and after."""

    old: Sha256
    new: Sha256
    brought: dict[str, Sha256] = Field(default_factory=dict, description="modules that only the new code takes in")
    dropped: dict[str, Sha256] = Field(default_factory=dict, description="modules that only the old code took in")


class Acceptance(Closed):
    """What one call of `audioprune accept` recorded for one kind of cell."""

    kind: str
    why: str = Field(min_length=1)
    date: str
    commit: str = Field(description="checked out when it was accepted; empty outside a checkout")
    dirty: bool = Field(description="whether there were changes on top of that commit")
    modules: dict[str, Change] = Field(min_length=1)


Changes = dict[tuple[str, str], list[Change]]  # (module, new hash) -> changes, oldest entry first


def load(path: Path | None = None) -> tuple[Acceptance, ...]:
    """All entries in the order in which they were written; none without a file. Raises UserError naming the entry."""
    return _load(path or FILE)


@cache
def _load(path: Path) -> tuple[Acceptance, ...]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not plain YAML: {error}") from None
    try:
        return tuple(TypeAdapter(list[Acceptance]).validate_python(data or []))
    except ValidationError as error:
        lines = [f"  entry {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        mend = "mend it, or remove the entry (what it covered is then made again)"
        raise UserError("\n".join([f"{path} cannot be used; {mend}:", *lines])) from None


@cache
def changes_of(kind: str) -> Changes:
    """The accepted changes of one kind's code."""
    return indexed((entry.modules for entry in load() if entry.kind == kind), {})


def indexed(modules: Iterable[dict[str, Change]], before: Changes) -> Changes:
    """Changes by what they start from, those of `before` first."""
    found = {key: list(changes) for key, changes in before.items()}
    for entry in modules:
        for module, change in entry.items():
            found.setdefault((module, change.new), []).append(change)
    return found


def append(entry: Acceptance) -> None:
    """Add an entry at the end of the file."""
    text = FILE.read_text(encoding="utf-8") if FILE.is_file() else HEADER
    block = yaml.safe_dump([entry.model_dump(exclude_defaults=True)], sort_keys=False, width=120, allow_unicode=True)
    records.write_text(FILE, f"{text.rstrip()}\n\n{block}")


def forget() -> None:
    """Read the file again when it is next needed."""
    _load.cache_clear()
    changes_of.cache_clear()
