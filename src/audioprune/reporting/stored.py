"""Checkpoints from the repository that today's code would not make: a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.sources import stored
from audioprune.wording import listing

if TYPE_CHECKING:
    from audioprune.results.study import Results


def sentences(results: Results) -> Iterator[str]:
    """One for each checkpoint that a study starts from and whose code has changed since it was made."""
    used = {r.settings.source for r in results.all() if r.kind == "fetch"}
    for source in (name for name in stored.names() if name in used):
        if modules := stored.changed(source):
            commit = stored.records_of(source)[-1]["made"]["git"].get("commit", "")[:12] or "unknown"
            yield (
                f"{source} was made at commit {commit}, before changes to {listing(modules)}: "
                '"make checkpoints" makes it again with today\'s code.'
            )
