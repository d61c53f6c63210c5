"""The order of a report, from report/sections.yaml: which exhibit stands in which section, how, and under which number.

The paper's exhibits keep their numbers, and one that shows several of them has all of theirs; all others are S1, S2,
... in the order of the sections, counted over every exhibit that the project has, so that a number means the same table
in the report of every study.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import Field, TypeAdapter

from audioprune.settings.closed import Closed
from audioprune.wording import listed

FILE = Path(__file__).resolve().parents[3] / "report" / "sections.yaml"
How = Literal["core", "appendix", "folded", "files"]
HOW: tuple[How, ...] = get_args(How)


class Section(Closed):
    id: str = Field(description="of the address, such as #costs")
    heading: str
    text: str
    core: tuple[str, ...] = Field((), description="open on the page, in the body of the PDF")
    appendix: tuple[str, ...] = Field((), description="folded on the page, in the appendix of the PDF")
    folded: tuple[str | dict[str, tuple[str, ...]], ...] = Field(
        (), description="folded on the page, in the PDF by reference; {title: names}: in one fold"
    )
    files: tuple[str, ...] = Field((), description="on neither: what they show, and the command")


@dataclass(frozen=True, order=True)
class Place:
    """Where an exhibit stands: places are in the order of the report."""

    section: int
    rank: int  # of how it is shown
    at: int
    name: str
    fold: str = ""  # title of the one that it shares with others

    @property
    def how(self) -> How:
        return HOW[self.rank]


@cache
def load(path: Path = FILE) -> tuple[Section, ...]:
    return TypeAdapter(tuple[Section, ...]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))


def place(name: str) -> Place:
    """Of an exhibit: where its name stands, else where the first pattern has it; KeyError where nothing has."""
    rows = [
        (wanted, Place(i, rank, at, name, fold))
        for i, section in enumerate(load())
        for rank, how in enumerate(HOW)
        for at, (fold, wanted) in enumerate(_listed(getattr(section, how)))
    ]
    exact = [found for wanted, found in rows if wanted == name]
    found = exact or [found for wanted, found in rows if fnmatchcase(name, wanted)]
    if not found:
        raise KeyError(f"{FILE.name} has no place for {name}")
    return found[0]


def _listed(given: Iterable[str | dict[str, tuple[str, ...]]]) -> list[tuple[str, str]]:
    """(title of the fold, name) in order."""
    parts = (("", (one,)) if isinstance(one, str) else next(iter(one.items())) for one in given)
    return [(fold, name) for fold, names in parts for name in names]


def numbers(kinds: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """{name of an exhibit: 'Table 1', 'Table S3', 'Figures 4 and 8'} of {kind: names}."""
    found = {}
    for kind, names in kinds.items():
        own = 0
        for name in sorted(names, key=place):
            printed = name.removeprefix(kind).split("-")
            if all(part.isdigit() for part in printed):
                found[name] = f"{kind.capitalize()}{'s' if len(printed) > 1 else ''} {listed(printed)}"
            else:
                own += 1
                found[name] = f"{kind.capitalize()} S{own}"
    return found
