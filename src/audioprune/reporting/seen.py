"""What is seen in a figure, in words, for those who cannot see it: its own `seen(rows)`, or what its data say of it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from audioprune.wording import listing, number

if TYPE_CHECKING:
    from audioprune.exhibits.named import Exhibit

NAMES = {"backbone": "backbones", "dataset": "datasets", "method": "methods", "clip": "clips"}  # columns, in plural
VALUES = ("value", "wer", "share", "ratio", "kept")  # columns of what is drawn, the first that there is


def of(module: Exhibit, data: str) -> str:
    """Of a figure and the text of its CSV."""
    rows = list(csv.DictReader(io.StringIO(data)))
    own = getattr(module, "seen", None)
    return str(own(rows)) if own else _of_data(rows)


def _of_data(rows: Sequence[Mapping[str, str]]) -> str:
    """'For 2 backbones (a, b), 1 dataset (c): value from 0.9 to 1.6.'"""
    columns = rows[0] if rows else {}
    kinds = {plural: list(dict.fromkeys(row[one] for row in rows)) for one, plural in NAMES.items() if one in columns}
    said = [f"{plural}: {listing(found)}" for plural, found in kinds.items()]
    drawn = next((one for one in VALUES if one in columns), "")
    values = [float(row[drawn]) for row in rows if drawn and _finite(row[drawn])]
    said += [f"{drawn.replace('_', ' ')} from {number(min(values), 2)} to {number(max(values), 2)}"] if values else []
    return "; ".join(said)


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
