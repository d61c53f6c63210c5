"""Printing of the commands: aligned columns for people, JSON for programs."""

from __future__ import annotations

import json


def print_json(value: object) -> None:
    print(json.dumps(value, indent=1, sort_keys=True))


def columns(header: list[str], rows: list[list], *, right: tuple[int, ...] = ()) -> str:
    """Aligned columns; the numbers of columns in `right` are aligned right."""
    cells = [header, *[[str(value) for value in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        padded = [v.rjust(w) if i in right else v.ljust(w) for i, (v, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
