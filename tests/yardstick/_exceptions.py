"""Named exceptions: what may differ between two runs, each with its reason, in a YAML file.

    - why: the label says which score it ranks by
      exhibit: table*
      renamed: {method: {topk: topk.global}, note: {topk: topk.global}}
    - why: merging left the study
      exhibit: table1
      dropped: {method: [tome, "random*"], keep_rate: 0.5}

`renamed` puts new labels in the place of old ones in old rows; they are shown with the new ones. `dropped` says which
old rows, `added` which new rows may have no partner: those that have one of the values in each of the columns.
`columns: [accuracy_*]` are not compared; `whole: true` lets an exhibit differ or be absent. Exhibits, columns and the
values of rows are globs. Texts of a table are rows with columns title, caption, heading, note, mark, or those of a
column's definition, such as header and unit; a figure's drawing is the column picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import yaml
from _reading import Row
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

KINDS = ("renamed", "dropped", "added", "columns", "whole")


def _text(value: object) -> str:
    """Numbers as they are written; nothing else that YAML makes of a word."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"must be a text or a number and is {value!r} to YAML: write it in quotes")
    return str(value)


def _list(value: object) -> object:
    return value if isinstance(value, list) else [value]


Text = Annotated[str, BeforeValidator(_text)]
Values = dict[Text, Annotated[list[Text], BeforeValidator(_list), Field(min_length=1)]]


class Named(BaseModel):
    """One exception. Of `renamed` and so on it has exactly one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: Annotated[str, Field(pattern=r"\S")]
    exhibit: Annotated[str, Field(min_length=1)]
    renamed: Annotated[dict[Text, dict[Text, Text]] | None, Field(min_length=1)] = None  # {column: {old: new}}
    dropped: Annotated[Values | None, Field(min_length=1)] = None  # old rows without a partner
    added: Annotated[Values | None, Field(min_length=1)] = None  # new rows without a partner
    columns: Annotated[list[Text] | None, Field(min_length=1)] = None
    whole: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Named:
        if len(given := [kind for kind in KINDS if getattr(self, kind) is not None]) != 1:
            raise ValueError(f"needs exactly one of {', '.join(KINDS)} and has {' and '.join(given) or 'none'}")
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    def skips(self, column: str) -> bool:
        """Whether it exempts a column."""
        return any(fnmatchcase(column, glob) for glob in self.columns or ())

    def excuses(self, row: Row, side: Literal["dropped", "added"]) -> bool:
        """Whether it lets a row of that side stand alone."""
        wanted = getattr(self, side)
        return wanted is not None and all(
            any(_alike(row.get(column, ""), value) for value in values) for column, values in wanted.items()
        )

    def relabelled(self, row: Row) -> Row:
        """The row with new labels, also where they stand as a whole word in a longer text."""
        for glob, labels in (self.renamed or {}).items():
            row = {c: _relabel(value, labels) if fnmatchcase(c, glob) else value for c, value in row.items()}
        return row


def load(path: Path) -> tuple[Named, ...]:
    """The exceptions of a file; ValueError with every error at once."""
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if not isinstance(held, list):
        raise ValueError(f"{path} must be a list of exceptions, each with `why:` and `exhibit:`")
    try:
        return TypeAdapter(tuple[Named, ...]).validate_python(held)
    except ValidationError as error:
        raise ValueError("\n".join([f"{path} is not valid:", *map(_place, error.errors())])) from None


def of(exhibit: str, exceptions: Iterable[Named]) -> dict[int, Named]:
    """Those that name an exhibit, by their place in the file."""
    return {i: one for i, one in enumerate(exceptions) if fnmatchcase(exhibit, one.exhibit)}


def _place(error) -> str:
    entry, *rest = error["loc"]
    said = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        said = f"no such key; there are {', '.join(Named.model_fields)}"
    return f"  entry {entry + 1}: {'.'.join(map(str, rest)) + ': ' if rest else ''}{said}"


def _alike(value: str, glob: str) -> bool:
    """A glob of the text, or the same number in another spelling."""
    try:
        return fnmatchcase(value, glob) or float(value) == float(glob)
    except ValueError:
        return False


def _relabel(value: str, labels: dict[str, str]) -> str:
    if value in labels:
        return labels[value]
    words = "|".join(re.escape(old) for old in sorted(labels, key=len, reverse=True) if old)
    return re.sub(rf"(?<![\w.-])(?:{words})(?![\w-]|\.\w)", lambda found: labels[found[0]], value) if words else value
