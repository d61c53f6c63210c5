"""A table as JSON: what it holds, in full precision, with its columns, units and notes. The report is made from it."""

from __future__ import annotations

import json
from dataclasses import asdict

from pydantic import TypeAdapter

from audioprune.exhibits.table import Table


def dumps(table: Table) -> str:
    """The same table gives the same text; numbers of numpy become plain ones."""
    return json.dumps(asdict(table), ensure_ascii=False, indent=1, default=lambda number: number.item()) + "\n"


def loads(text: str) -> Table:
    """The table that `dumps` wrote; raises ValueError where the text is no such table."""
    return TypeAdapter(Table).validate_python(json.loads(text))
