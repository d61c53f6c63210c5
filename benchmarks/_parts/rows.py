"""Result files: CSV tables whose rows are on disk as soon as they are measured. Standard library only."""

from __future__ import annotations

import contextlib
import csv
import math
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

OK, FAILED, NEEDS_CUDA, TIMED_OUT = "ok", "FAILED", "needs CUDA", "timed out"
COLUMNS = ("part", "name", "value", "unit", "limit", "verdict", "note")
CHECKS = "checks.csv"

Value = float | int | bool | str | None


class Table:
    """A CSV file that grows: the header once, then a row at a time."""

    def __init__(self, path: Path, columns: tuple[str, ...]):
        self.path, self.columns = path, columns

    def add(self, **values: Value) -> None:
        """Columns that are not given stay empty; numbers have six digits."""
        fresh = not self.path.exists()
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            write = csv.writer(file, lineterminator="\n").writerow
            if fresh:
                write(self.columns)
            write([_text(values.pop(column, None)) for column in self.columns])
            file.flush()
            os.fsync(file.fileno())
        if values:
            raise ValueError(f"{self.path.name} has no columns {', '.join(values)}")


class Rows:
    """The rows of one part in checks.csv: what was measured, and whether it is within its limit."""

    def __init__(self, out: Path, part: str):
        self.part, self.table = part, Table(out / CHECKS, COLUMNS)

    def add(
        self,
        name: str,
        value: Value,
        unit: str = "",
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        equals: Value = None,
        note: str = "",
    ) -> None:
        """FAILED where the value is not finite or breaks its limit; without a limit it is a measurement."""
        limits = (("<=", at_most), (">=", at_least), ("=", equals))
        limit = next((f"{sign} {_text(one)}" for sign, one in limits if one is not None), "")
        fits = not isinstance(value, float) or math.isfinite(value)
        if fits and at_most is not None:
            fits = value <= at_most
        if fits and at_least is not None:
            fits = value >= at_least
        if fits and equals is not None:
            fits = value == equals
        self.write(name, OK if fits else FAILED, value, unit, limit, note)

    def needs_cuda(self, name: str) -> None:
        self.write(name, NEEDS_CUDA, note="needs CUDA: not run")

    def write(
        self, name: str, verdict: str, value: Value = None, unit: str = "", limit: str = "", note: str = ""
    ) -> None:
        note = " ".join(note.split())[:400]
        self.table.add(part=self.part, name=name, value=value, unit=unit, limit=limit, verdict=verdict, note=note)
        print(
            f"{verdict:10} {self.part}: {name} {_text(value)} {unit} {limit and f'({limit})'} {note}".rstrip(),
            flush=True,
        )

    @contextlib.contextmanager
    def guarded(self, name: str) -> Iterator[None]:
        """An exception inside becomes a row that FAILED, and the part goes on."""
        try:
            yield
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self.write(name, FAILED, note=f"{type(error).__name__}: {error}")


def read(out: Path) -> list[dict[str, str]]:
    """The rows of checks.csv, in the order in which they were measured."""
    path = out / CHECKS
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _text(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
