"""Changes of code that were accepted as giving the same results, in words: which, why, and how many cells they keep.

Those that no cell of the study was made before are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audioprune.fingerprints.accepted import Acceptance
    from audioprune.results.study import Results

SHORT = 12  # digits of a hash that are shown


def sentences(results: Results, entries: Iterable[Acceptance]) -> list[str]:
    """One for each entry that keeps a cell, after one that says what they are; none without any."""
    made = [(r.kind, r.record.get("code", {})) for r in results.all() if r.ok]
    found = [said for entry in entries if (said := _sentence(entry, made))]
    if not found:
        return []
    counted = f"{len(found)} change{'s' if len(found) > 1 else ''} of code"
    return [
        f"{counted} accepted by hand as giving the same results, so that nothing made before was made again:",
        *found,
    ]


def _sentence(entry: Acceptance, made: list[tuple[str, dict[str, str]]]) -> str:
    modules = ", ".join(
        f"{name} {change.old[:SHORT]} → {change.new[:SHORT]}" for name, change in sorted(entry.modules.items())
    )
    own = [code for kind, code in made if kind == entry.kind and code.keys() & entry.modules.keys()]
    before = sum(any(code.get(name) == change.old for name, change in entry.modules.items()) for code in own)
    if not before:
        return ""
    shown = f" {before} of the {len(own)} {entry.kind} cells shown here were made before it."
    at = f", commit {entry.commit[:SHORT]}{' with uncommitted changes' if entry.dirty else ''}" if entry.commit else ""
    return f"{entry.kind}: {modules} ({entry.date}{at}): {entry.why.rstrip('.')}.{shown}"
