"""Fingerprints of code: a digest of all code that a step's results depend on, whatever the Python version and layout.

A module's hash is over our own serialisation of its syntax tree, without docstrings, comments and formatting
(`ast.dump` differs between Python versions). A step's fingerprint covers the step, every module of this package that
it takes something from (fingerprints.imports), and of the pluggable modules only those that the cell names, or that the
exhibit names in PLUGINS. Modules that change no number are declared out, each with the reason; a hand-kept version for
each kind of record stands in for them. Changes that were accepted as giving the same results (fingerprints.accepted)
change no fingerprint of the kinds they were accepted for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache

from audioprune.cells.kinds import KINDS
from audioprune.fingerprints import accepted
from audioprune.fingerprints.accepted import Change, Changes
from audioprune.fingerprints.imports import imports_of, module_path, tree_of
from audioprune.fingerprints.syntax import digest_of

DECLARED_OUT = (
    "audioprune",  # the library's names
    # What they decide is in the keys as data; how they decide it counts for nothing.
    "audioprune.config",  # what is made of it is in the settings of cells
    "audioprune.settings",  # values that differ from the pinned defaults, so a changed default is seen
    "audioprune.sources.catalogue",  # content digests
    "audioprune.sources.manifest",  # digests of what users bring
    "audioprune.cells.cell",  # addresses, where a cell lies
    "audioprune.cells.kinds",  # what a kind of cell is: a version for each stands in for it
    "audioprune.fingerprints",
    "audioprune.planning",  # which cells there are, of which data, and which an exhibit gets, in order
    "audioprune.registry",  # finds modules by name: those named are covered, as are the facts that it gives
    # How a cell is made and recorded, not what is in it.
    "audioprune.records",  # and the canonical JSON that keys themselves are made of
    "audioprune.progress",
    "audioprune.cells.provenance",
    "audioprune.cells.state",
    "audioprune.errors",
    "audioprune.disk",
    "audioprune.locks",
    "audioprune.steps._run",
    "audioprune.cli",
)


@cache
def _parsed(module: str) -> tuple[str, frozenset[str]]:
    """(hash, modules of this package that it takes something from)."""
    tree = tree_of(module)
    return digest_of(tree), imports_of(tree)


def _out(module: str) -> bool:
    return any(module == out or (out != "audioprune" and module.startswith(out + ".")) for out in DECLARED_OUT)


@cache
def closure(roots: tuple[str, ...]) -> dict[str, str]:
    """{module: hash} of the roots and everything of this package that they import, declared-out modules left out."""
    return dict(sorted(_walk(roots, {})[0].items()))


def counted(roots: tuple[str, ...], changes: Changes) -> dict[str, str]:
    """The closure as it counts: accepted changes undone, every changed module with its old hash and old imports.

    Whatever is taken in now and was not vouched for counts, too, so no later edit is hidden.
    """
    found, brought, dropped = _walk(roots, changes)
    for module in closure(roots).keys() - found.keys() - brought:
        value = _counts_as(module, changes)[0]
        if dropped.get(module) != value:
            found[module] = value
    return dict(sorted((dropped | found).items()))


def _walk(roots: tuple[str, ...], changes: Changes) -> tuple[dict[str, str], set[str], dict[str, str]]:
    """({module: hash} from the roots along imports, what the undone changes brought, what they dropped)."""
    found: dict[str, str] = {}
    brought: set[str] = set()
    dropped: dict[str, str] = {}
    todo = [module for module in roots if not _out(module)]
    while todo:
        module = todo.pop()
        if module in found:
            continue
        found[module], imported, undone = _counts_as(module, changes)
        for change in undone:
            imported = imported - change.brought.keys()
            brought |= change.brought.keys()
            dropped = change.dropped | dropped
        todo += [name for name in imported if name not in found and not _out(name)]
    return found, brought, dropped


def _counts_as(
    module: str, changes: Changes, asked: dict[str, str] | None = None
) -> tuple[str, frozenset[str], list[Change]]:
    """(hash of the oldest code that a module was accepted as equal to, its imports now, the changes undone on the way).

    `asked`: modules whose changes are being judged, and what they would count as; imports may go in circles.
    """
    value, imported = _parsed(module)
    seen, undone = {value}, []

    def holds(change: Change) -> bool:
        """Whether a change leads to older code, and all that it brought is as it was when it was accepted."""
        assumed = {**(asked or {}), module: change.old}
        return change.old not in seen and all(
            (assumed.get(name) or (module_path(name) and _counts_as(name, changes, assumed)[0])) == pinned
            for name, pinned in change.brought.items()
        )

    while change := next(filter(holds, changes.get((module, value), ())), None):
        value = change.old
        seen.add(value)
        undone.append(change)
    return value, imported, undone


def roots_of(kind: str, plugins: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Where the code of a cell begins: its step, and the pluggable modules (dotted names) that it names."""
    return (f"audioprune.steps.{kind}", *sorted(plugins))


@cache
def code_of_kind(kind: str, plugins: tuple[str, ...] = ()) -> tuple[dict[str, str], dict[str, str]]:
    """({module: hash} as the code stands, the same as it counts in keys: accepted changes undone)."""
    roots = roots_of(kind, plugins)
    return closure(roots), counted(roots, accepted.changes_of(kind))


@cache
def fingerprint(kind: str, plugins: tuple[str, ...] = ()) -> str:
    """Fingerprint of a step with the pluggable modules that its cell names."""
    return digest(kind, code_of_kind(kind, plugins)[1].items())


def code_record(kind: str, plugins: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """What a record says of the code: `code`, and `counts_as` where accepted changes make that another."""
    code, counted = code_of_kind(kind, plugins)
    return {"code": code} | ({"counts_as": counted} if counted != code else {})


def counted_in(record: dict) -> dict[str, str]:
    """The code that entered a record's key: {module: hash}."""
    return record.get("counts_as", record.get("code", {}))


def digest(kind: str, modules: Iterable[tuple[str, str]]) -> str:
    lines = [f"{kind} {KINDS[kind].version}", *(f"{module} {value}" for module, value in sorted(modules))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def forget() -> None:
    """Forget what was worked out: for a process that has just changed the accepted changes."""
    accepted.forget()
    code_of_kind.cache_clear()
    fingerprint.cache_clear()
