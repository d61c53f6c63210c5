"""What is seen in a figure, in words, for those who cannot see it: of what it draws, which its CSV holds."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audioprune.exhibits.named import Exhibit


def of(module: Exhibit, data: str) -> str:
    """Of a figure and the text of its CSV; nothing of one that shows nothing."""
    rows = list(csv.DictReader(io.StringIO(data)))
    return str(module.seen(rows)) if rows else ""
