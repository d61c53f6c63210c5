"""Monotonicity: MACs must fall and throughput must rise with every lower keep-rate (paper.md 6.4).

Accuracy need not fall from one keep-rate to the next; where it rises, that is said, since claims lean on single cells.
"""

from __future__ import annotations

from itertools import pairwise

from audioprune.results.findings import Finding, place, rows

TITLE = "Order along the keep-rates"
RISING = {"macs": False, "throughput": True, "top1": False, "map": False}  # as fewer tokens are kept
UNIT = {"macs": "GMAC", "throughput": "samples_per_s", "top1": "pp", "map": "fraction"}


STRICT = ("macs", "throughput")  # an accuracy may stay the same


def breaks(values: list[float], rising: bool, strict: bool = True) -> list[int]:
    """Places i where values[i + 1] does not go on from values[i] in the order that is expected."""
    steps = [b - a if rising else a - b for a, b in pairwise(values)]
    return [i for i, step in enumerate(steps) if step < 0 or (strict and step == 0)]


def findings() -> list[Finding]:
    found = []
    for name, metrics in (("table1", ("top1", "map", "macs")), ("table7", ("throughput",)), ("p2", ("top1", "map"))):
        columns: dict[tuple, list[dict]] = {}
        for row in rows(name, *metrics):
            if row["keep_rate"] and row["method"] in ("none", "topk"):
                columns.setdefault((row["backbone"], row["dataset"], row["metric"]), []).append(row)
        for (_, _, metric), column in columns.items():
            found += _column(metric, sorted(column, key=lambda row: -float(row["keep_rate"])))
    return found


def _column(metric: str, column: list[dict[str, str]]) -> list[Finding]:
    values = [float(row["value"]) for row in column]
    broken = breaks(values, RISING[metric], metric in STRICT)
    order = "above" if RISING[metric] else "below"
    found = []
    for i, (before, row) in enumerate(pairwise(column)):
        expected = f"{order} {before['value']} of keep-rate {before['keep_rate']}"
        verdict = "not monotone" if i in broken else "as expected"
        off = _wrong(values[i], values[i + 1], RISING[metric])
        group = f"{row['source']} {row['exhibit']}, {metric}"
        found.append(
            Finding(
                "monotonicity", group, place(row), row["value"], expected, off, UNIT[metric], verdict, row["status"]
            )
        )  # fmt: skip
    return found


def _wrong(before: float, after: float, rising: bool) -> float:
    """How far a value goes in the wrong direction; 0 in the right one."""
    step = after - before
    return 0.0 if (step > 0) == rising else step
