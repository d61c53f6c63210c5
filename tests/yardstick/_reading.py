"""A study's exhibits as they lie in its folder, made ready to compare: what may differ between two runs is masked.

A row is a dict of texts; what is blank is left out. Besides the rows of its CSV a table has texts: its title, caption,
headings, notes and the definitions of its columns.
"""

from __future__ import annotations

import csv
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

Row = dict[str, str]

MEASURED = "<measured>"
TEXT = "text of"  # column of a text that says what it is a text of
CELL = re.compile(r"[^\s\"',;|()<>]*/[0-9a-f]{16}(?:/[\w.-]+)*(?!\w)")  # evaluate/<address>/<key>
PATH = re.compile(r"(?<![\w.<>/])/(?:[\w.+~-]+/)+[\w.+~-]*")
# content keys, commits (short or whole) and digests; at least one letter, so that no number is taken for one
HEX = re.compile(r"(?<![\w.])(?=\d*[a-f])(?:[0-9a-f]{16}|[0-9a-f]{12}|[0-9a-f]{40}|[0-9a-f]{64})(?!\w)")
LOOKS = ("align", "wrap")  # of a column's definition: how it is set, not what it holds


class Measured(NamedTuple):
    """Columns that hold times, speeds or memory, or follow from them: there on both sides, with any value."""

    exhibit: str  # glob
    columns: tuple[str, ...]  # globs; none: the rows are left out, for how many there are follows from times
    rows: Row = {}  # only rows with these texts (globs)


def _with_bounds(*names: str) -> tuple[str, ...]:
    return tuple(name + part for name in names for part in ("", "_low", "_high", "_difference"))


SPEED_CLAIM = "*P0-13*"  # "Does throughput about double at keep-rate 0.5?"
TIMES = (
    # table1 (eager kernel) and table7 (eager_..., fused_...); published values and reasons are compared
    Measured("*", _with_bounds("samples_per_s", "speed_up", "speed_up_fused")),
    Measured("*", _with_bounds("eager_samples_per_s", "eager_speed_up", "fused_samples_per_s", "fused_speed_up")),
    Measured("*", ("note",), {"note": "Speed-ups are medians*"}),  # names the load
    Measured("*", ("wall_s", "peak_memory_mib")),  # of records; in no exhibit so far
    Measured("claims", (), {"unit": "times (quartiles)"}),  # one row for each verdict of its parts
    Measured("claims", (), {"heading": SPEED_CLAIM}),  # has the verdict
    Measured("claims", ("verdict", "brief"), {"claim": SPEED_CLAIM}),
)


@dataclass(frozen=True)
class Exhibit:
    name: str
    columns: tuple[str, ...]  # of the CSV
    rows: tuple[Row, ...]
    texts: tuple[Row, ...]
    picture: str | None

    @property
    def timed(self) -> bool:
        """Whether anything in it is measured, so that its picture is another one each time."""
        return any(MEASURED in row.values() for row in self.rows)


def exhibits(folder: Path) -> dict[str, Exhibit]:
    """Every exhibit of a study, by name: each has a CSV."""
    return {path.stem: read(path) for path in sorted(folder.glob("*.csv"))}


def read(path: Path) -> Exhibit:
    """The exhibit of a CSV, with the JSON, HTML or SVG beside it."""
    name = path.stem
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        rows, columns = list(reader), tuple(reader.fieldnames or ())
    picture = path.with_suffix(".svg")
    return Exhibit(
        name=name,
        columns=columns,
        rows=_masked(name, rows),
        texts=_masked(name, _texts(path)),
        picture=same_names(picture.read_text(encoding="utf-8")) if picture.is_file() else None,
    )


def _texts(path: Path) -> Iterator[Row]:
    page, table = path.with_suffix(".html"), path.with_suffix(".json")
    if page.is_file():
        said = page.read_text(encoding="utf-8")
        for kind, tag in (("title", "h1"), ("caption", "p")):
            if found := re.search(f"<{tag}>(.*?)</{tag}>", said, re.S):
                yield {TEXT: kind, kind: html.unescape(found[1])}
    if table.is_file():
        try:
            held = json.loads(table.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{table} is damaged: {error}") from None
        for column in held["columns"]:
            named = f"column {column['key']} ({column['part']})"
            yield {TEXT: named} | {k: str(v) for k, v in column.items() if k not in (*LOOKS, "key", "part")}
        for heading in dict.fromkeys(row["group"] for row in held["rows"]):
            yield {TEXT: "heading", "heading": heading}
        yield from ({TEXT: "note", "note": note} for note in held["notes"])
        yield from ({TEXT: f"mark {mark}", "mark": said} for mark, said in held["marks"].items())


def _masked(name: str, rows) -> tuple[Row, ...]:
    """Rows without blanks; measured values, keys, commits and paths give way to what they are."""
    own = [m for m in TIMES if fnmatchcase(name, m.exhibit)]
    found = []
    for row in rows:
        here = [m for m in own if all(fnmatchcase(row.get(c, ""), p) for c, p in m.rows.items())]
        if all(m.columns for m in here):
            globs = [glob for m in here for glob in m.columns]
            found.append({c: _mask(c, value, globs) for c, value in row.items() if value and value.strip()})
    return tuple(found)


def _mask(column: str, value: str, measured: list[str]) -> str:
    if any(fnmatchcase(column, glob) for glob in measured):
        return MEASURED
    return HEX.sub("<key>", PATH.sub("<path>", CELL.sub("<cell>", value)))


def same_names(svg: str) -> str:
    """An SVG without metadata, its identifiers numbered as they come: two drawings of one thing have the same text."""
    body = re.sub(r"<metadata>.*?</metadata>|<!-- Created with .*?-->", "", svg[svg.find("<svg") :], flags=re.S)
    numbers = {name: str(i) for i, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', body)))}
    return re.sub(r'(\bid="|href="#|url\(#)([^")]+)', lambda found: found[1] + numbers.get(found[2], found[2]), body)


def written(picture: str) -> Counter[str]:
    """The words in a picture: matplotlib draws them as shapes and says each in a comment."""
    return Counter(re.findall(r"<!-- (.*?) -->", picture, re.S))
