"""What is seen in a figure, in words: from the rows of its CSV, the values where its lines begin, end, and are extreme.

It is for those who cannot see the figure, so that it says what they would look for: how much, where most, where least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from audioprune.wording import number

Row = Mapping[str, str]
Rows = Sequence[Row]
MODEL = ("backbone", "dataset", "method", "variant", "keep_rate")  # columns that name one of several models
MOST = 12  # models of which each is told


def known(rows: Rows, key: str) -> list[tuple[float, Row]]:
    """(value, row) of the rows that have one."""
    pairs = [(float(row[key]), row) for row in rows if row.get(key)]
    return [(value, row) for value, row in pairs if math.isfinite(value)]


def parts(rows: Rows, *keys: str) -> dict[tuple[str, ...], list[Row]]:
    """Rows that are alike in the columns, in order."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.get(key, "") for key in keys), []).append(row)
    return found


def name(row: Row, keys: Sequence[str] = MODEL) -> str:
    """'ast-tiny on esc10, topk at keep-rate 0.5', 'ast-tiny on esc10, cls score': of the columns that say something."""
    told = {key: row[key] for key in keys if row.get(key)}
    place = " on ".join(told[key] for key in ("backbone", "dataset") if key in told)
    method = told.get("method", f"{told['score']} score" if "score" in told else "")
    how = "unpruned" if method == "none" else method
    if "keep_rate" in told and method != "none":
        how = f"{how} at keep-rate {float(told['keep_rate']):g}".strip()
    return ", ".join(filter(None, (place, how, told.get("variant", ""))))


def extent(rows: Rows, key: str, where: Callable[[Row], str], decimals: int = 2) -> str:
    """'from 0.12 (block 3) to 0.40 (block 9)': the least and the largest value, and where they are."""
    values = known(rows, key)
    if not values:
        return "no value"
    (least, first), (most, last) = (choose(values, key=lambda pair: pair[0]) for choose in (min, max))
    if least == most:
        return f"{number(least, decimals)} throughout"
    return f"from {number(least, decimals)} ({where(first)}) to {number(most, decimals)} ({where(last)})"


def mean(rows: Rows, key: str) -> float:
    """NaN where there is none."""
    values = [value for value, _ in known(rows, key)]
    return sum(values) / len(values) if values else math.nan


def over(rows: Rows, along: str, key: str, what: str, decimals: int = 2) -> str:
    """'mean ratio A 0.25 at stage 1, 0.27 at stage 2': means along a column."""
    told = [f"{number(mean(own, key), decimals)} at {along} {at}" for (at,), own in parts(rows, along).items()]
    return f"mean {what} {', '.join(told)}"


def at_lowest_rate(rows: Rows) -> list[Row]:
    """Of each model and dataset the rows at its lowest keep-rate."""
    found: list[Row] = []
    for own in parts(rows, "backbone", "dataset", "method", "variant").values():
        least = min(float(row["keep_rate"]) for row in own)
        found += [row for row in own if float(row["keep_rate"]) == least]
    return found


def of_each(rows: Rows, keys: Sequence[str], said: Callable[[Rows], str], most: int = MOST) -> str:
    """What is said of each of several, and how many more there are."""
    every = list(parts(rows, *keys).values())
    told = [f"{name(own[0], keys)}: {said(own)}" for own in every[:most]]
    return "; ".join([*told, *([f"and {len(every) - most} more in the CSV"] if len(every) > most else [])])
