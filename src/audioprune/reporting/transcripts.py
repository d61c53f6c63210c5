"""A transcript beside its reference, word by word: what was said otherwise, left out, or heard without being said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["right", "substituted", "deleted", "inserted"]


@dataclass(frozen=True)
class Word:
    kind: Kind
    heard: str  # empty where it was deleted
    said: str  # empty where it was inserted


def compared(reference: str, heard: str) -> tuple[Word, ...]:
    """The fewest edits from the reference to what was heard (Levenshtein); case and punctuation count nothing."""
    said, words = reference.split(), heard.split()
    a, b = [_plain(word) for word in said], [_plain(word) for word in words]
    cost = [[i + j if not i or not j else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            cost[i][j] = min(change, cost[i - 1][j] + 1, cost[i][j - 1] + 1)
    found: list[Word] = []
    i, j = len(a), len(b)
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]):
            i, j = i - 1, j - 1
            found.append(Word("right" if a[i] == b[j] else "substituted", words[j], said[i]))
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            found.append(Word("deleted", "", said[i]))
        else:
            j -= 1
            found.append(Word("inserted", words[j], ""))
    return tuple(reversed(found))


def _plain(word: str) -> str:
    return re.sub(r"[^\w']+", "", word.lower()) or word
