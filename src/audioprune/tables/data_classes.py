"""The clips of every class, by split: how many, and how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits.table import Column, Row, Table
from audioprune.facts.mel import SAMPLE_RATE

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.facts.dataset import Dataset
    from audioprune.results.study import Result, Results

TITLE = "Clips by class"
CAPTION = (
    "Decoded clips and their total length, by class and split. For data with folds, the fewest and the most clips of "
    "a class in one fold. A clip with several labels counts in each of its classes."
)
SPLITS = ("train", "val", "test")
FITS = 60  # classes; of datasets with more, none are shown


def needs(study: Cells) -> list:
    return study.cells("features")


def build(results: Results) -> Table:
    rows, notes = [], []
    for features in results.cells("features"):
        facts, audio = results.dataset(features.settings.dataset), features.inputs["audio"]
        if facts.num_classes > FITS:
            notes.append(f"{facts.name}: {facts.num_classes} classes are too many to show.")
        elif facts.classes and audio.ok:
            rows += _rows(facts, audio)
    return Table(_columns(), tuple(rows), tuple(notes))


def _rows(facts: Dataset, audio: Result) -> list[Row]:
    clips = audio.frame()
    each = clips.assign(seconds=clips["length"] / SAMPLE_RATE).explode("labels").dropna(subset="labels")
    return [
        Row(_cells(name, each[each["labels"] == label], facts), facts.name, (audio.path,))
        for label, name in enumerate(facts.classes)
    ]


def _cells(name: str, own: pd.DataFrame, facts: Dataset) -> dict:
    cells: dict = {"class": name, "clips": len(own), "seconds": float(own["seconds"].sum())}
    if facts.folds > 1:
        counts = [int((own["fold"] == fold).sum()) for fold in range(1, facts.folds + 1)]
        return cells | {"fewest": min(counts), "most": max(counts)}
    for split in SPLITS:
        part = own[own["split"] == split]
        if split != "val" or len(part):
            cells |= {f"{split}_clips": len(part), f"{split}_seconds": float(part["seconds"].sum())}
    return cells


def _columns() -> tuple[Column, ...]:
    by_split = (
        column
        for split, word in zip(SPLITS, ("Training", "Validation", "Test"), strict=True)
        for column in (
            Column(f"{split}_clips", f"{word} clips", decimals=0),
            Column(f"{split}_seconds", f"{word} audio", "s", 1),
        )
    )
    return (
        Column("class", "Class", align="left"),
        Column("clips", "Clips", decimals=0),
        Column("seconds", "Audio", "s", 1),
        *by_split,
        Column("fewest", "Fewest in a fold", decimals=0),
        Column("most", "Most in a fold", decimals=0),
    )
