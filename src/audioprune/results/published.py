"""The published numbers that exhibits show beside ours: `report/published/*.csv`, read through a closed schema.

One printed number a row. `value` in the files is the text as printed (4.30, not 4.3), since its digits say how a number
was rounded; `load` gives it as a float in `value` and as text in `printed`. See report/published/README.md.
"""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from audioprune.errors import UserError
from audioprune.registry import nearest

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).resolve().parents[3] / "report" / "published"
COLUMNS = (
    "source",  # P0: the withdrawn conference paper; P2: arXiv 2504.01690v2; R: the authors' released repository; of
    # speech: the recogniser's card, a leaderboard, or another paper, see `where`
    "status",
    "exhibit",
    "backbone",
    "dataset",
    "method",  # none, topk (by the backbone's own score), topk.cls (by CLS where its own is global), tome
    "keep_rate",
    "location",  # zero-based block, group of blocks, perturbation test or cluster
    "metric",
    "value",
    "unit",
    "where",
    "note",
)
STATUS = {
    "P0": "withdrawn", "P2": "second-hand", "R": "released",
    "W2V2": "model card", "W2V2-LM": "model card", "WHISPER-CARD": "model card",
    "OPEN-ASR": "quoted", "WHISPER": "quoted",
    "A-TOME": "abstract", "EAS": "abstract", "DOWNSAMPLED": "abstract", "BLANK-CTC": "abstract",
}  # fmt: skip
UNITS = {
    "percent": "0 to 100",
    "fraction": "0 to 1",
    "pp": "percentage points",
    "pct_remaining": "percent of the unpruned model's MACs that remain",
    "ratio": "a quotient without unit",
    "GMAC": "10^9 multiply-accumulates for one clip",
    "samples_per_s": "clips a second",
    "normalised_log_mel": "(log-mel - mean) / (2 std)",
    "log_mel": "log-mel before normalisation",
    "tau_star": "(concordant or tied - discordant) pairs / pairs",
    "clips": "number of clips",
    "count": "number of things",
    "epoch": "number of an epoch",
    "epochs": "number of epochs",
    "steps": "optimiser steps",
    "frames": "10 ms frames",
    "mel_bins": "of 128",
    "1": "a plain number",
    "text": "not a number",
}
KEY = ("source", "exhibit", "backbone", "dataset", "method", "keep_rate", "location", "metric", "where")


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Names of all files of published numbers, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.csv")))


@cache
def rows(name: str, folder: Path = FOLDER) -> tuple[dict[str, str], ...]:
    """The checked rows of one file, as text, by the standard library alone; UserError names the line that is off."""
    if name not in names(folder):
        raise UserError(f"no published numbers named {name!r} in {folder}{nearest(name, names(folder))}")
    path = folder / f"{name}.csv"
    with open(path, newline="", encoding="utf-8") as f:
        reader = csv.DictReader(f)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise UserError(f"{path}: columns must be {','.join(COLUMNS)}")
        found = tuple(reader)
    seen: dict[tuple, int] = {}
    for line, row in enumerate(found, start=2):
        problem = _problem(row)
        key = tuple(row[column] for column in KEY)
        if not problem and key in seen:
            problem = f"says the same as line {seen[key]}"
        if problem:
            raise UserError(f"{path}, line {line}: {problem}")
        seen[key] = line
    return found


def load(name: str, folder: Path = FOLDER) -> pd.DataFrame:
    """DataFrame of one file: `keep_rate` and `value` as floats (NaN: empty, or text), `printed` as in the source."""
    import pandas as pd

    frame = pd.DataFrame(rows(name, folder), columns=COLUMNS)
    frame["printed"] = frame["value"]
    frame["value"] = pd.to_numeric(frame["value"].where(frame["unit"] != "text"))
    frame["keep_rate"] = pd.to_numeric(frame["keep_rate"])
    return frame


def _problem(row: dict[str, str]) -> str:
    """What is wrong with a row, or the empty string."""
    if None in row or None in row.values():
        return f"must have {len(COLUMNS)} cells"
    if row["source"] not in STATUS:
        return f"source {row['source']!r} is unknown{nearest(row['source'], STATUS)}"
    if row["status"] != STATUS[row["source"]]:
        return f"status of {row['source']} is {STATUS[row['source']]!r}, not {row['status']!r}"
    if row["unit"] not in UNITS:
        return f"unit {row['unit']!r} is unknown{nearest(row['unit'], UNITS)}"
    if not row["exhibit"] or not row["metric"] or not row["value"] or not row["where"]:
        return "exhibit, metric, value and where must not be empty"
    if row["unit"] != "text" and not _finite(row["value"]):
        return f"value {row['value']!r} is not a number"
    if row["keep_rate"] and not (_finite(row["keep_rate"]) and 0 < float(row["keep_rate"]) <= 1):
        return f"keep_rate {row['keep_rate']!r} is not in (0, 1]"
    return ""


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
