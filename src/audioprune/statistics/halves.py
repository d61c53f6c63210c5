"""Two halves of the speakers: what is chosen on the one is judged on the other, and the reverse.

So no speaker takes part in choosing what he is judged by: which static policy is best, or a threshold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def halves(speakers: Iterable[str]) -> dict[str, int]:
    """{speaker: 0 or 1}, by the digest of the name: the first half of them in that order is 0. Order says nothing."""
    order = sorted(set(speakers), key=lambda one: hashlib.sha256(one.encode()).digest())
    return {one: int(i >= len(order) // 2) for i, one in enumerate(order)}
