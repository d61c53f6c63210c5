"""Parallel work whose results come in order and never pile up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor


def in_order(pool: Executor, work: Callable, items: Iterable, ahead: int) -> Iterator:
    """Results of `work` on `items`, in their order, with at most `ahead` of them computed or waiting at a time."""
    waiting: deque = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
