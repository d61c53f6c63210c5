"""history.csv of a training run: one row per epoch; metrics that were not evaluated are blank."""

from __future__ import annotations

import csv
from pathlib import Path

from audioprune import records

COLUMNS = ("epoch", "step", "lr", "keep_rate", "train_loss", "test_metric", "val_metric", "clips_per_s", "wall_s")


def write_history(path: Path, rows: list[dict]) -> None:
    """epoch counts from 0, step is the total after it; lr and keep_rate are those of its last step."""
    with records.atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _text(row[name]) for name in COLUMNS} for row in rows)


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.8g}"
