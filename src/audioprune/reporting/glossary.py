"""The terms of a report, from docs/glossary.md: one paragraph is one term, as `**term**: definition`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from audioprune.exhibits.table import Column, Row, Table

TERM = re.compile(r"\*\*([^*]+(?:\*[^*]+)*\*?)\*\*: (.+)")  # tau* has a star of its own
LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")  # a page shows the words of a link; what it leads to is not beside it
COLUMNS = (Column("term", "Term", align="left"), Column("meaning", "Meaning", align="left", wrap=True))


def parse(document: str) -> dict[str, str]:
    """{term: definition} in the order of the document; ValueError for a paragraph that is none."""
    found = {}
    for paragraph in document.strip().split("\n\n")[2:]:  # after the heading and what the document says of itself
        one = TERM.fullmatch(paragraph.replace("\n", " "))
        if one is None:
            raise ValueError(f"no definition: {paragraph}")
        found[one[1]] = one[2]
    return found


def table(terms: Mapping[str, str], said: Iterable[str]) -> Table | None:
    """The terms that stand in what a report says, and those that their definitions lead to; None where there are none.

    A term is met as a word of its own, in any case, also in the plural.
    """
    met = _met(terms, said)
    while more := [name for name in _met(terms, (terms[name] for name in met)) if name not in met]:
        met += more
    rows = tuple(Row({"term": name, "meaning": LINK.sub(r"\1", terms[name])}) for name in terms if name in met)
    return Table(COLUMNS, rows) if rows else None


def _met(terms: Iterable[str], said: Iterable[str]) -> list[str]:
    words = " ".join(said)
    return [term for term in terms if _pattern(term).search(words)]


def _pattern(term: str) -> re.Pattern[str]:
    """Short ones are symbols, such as p and R, and stand as they are written."""
    flags = re.IGNORECASE if len(term) > 3 else re.NOFLAG
    return re.compile(rf"(?<![\w-]){re.escape(term)}s?(?![\w-])", flags)
