"""Random draws that never change: taken from SHA-256, not from a library's generator.

Which clips are joined or mixed is part of a dataset, so it must not move with a version of NumPy or Python.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def draw(*what: str | int) -> int:
    """A uniform integer in 0 .. 2**64 - 1 for these words and numbers."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, what)).encode()).digest()[:8], "big")


def shuffled(items: Iterable[str], *what: str | int) -> list[str]:
    """A permutation that depends on the set of items and on `what`, not on the order of the items."""
    return sorted(items, key=lambda item: (draw(*what, item), item))
