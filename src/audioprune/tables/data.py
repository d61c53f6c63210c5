"""The data that a study used: what each dataset holds, what was set aside, and the statistics of its features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.tables._data_warnings import warnings

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Result, Results

TITLE = "Data"
CAPTION = (
    "Every dataset of the study as it was used: clips that were decoded and clips that were set aside, hours of "
    "audio, the input's length, the share of the input that is padding, the share of the audio that is cut off at the "
    "input's end, the shares of clips that were resampled to 16 kHz, mixed down to one channel, divided because their "
    "samples exceeded full scale, or clipped, and the mean and standard deviation of the training clips' fbank (of "
    "data with folds: of all clips). A step that changed no clip has no column."
)
SPLITS = ("train", "val", "test")
TREATED = (("resampled", "Resampled"), ("mixed_down", "Mixed down"), ("scaled", "Divided"), ("clipped", "Clipped"))


def needs(study: Cells) -> list:
    return study.cells("features")


def build(results: Results) -> Table:
    found = results.cells("features")
    rows = tuple(_row(results, r) for r in found)
    notes = (
        *(warning for r in found for warning in _warnings(results, r)),
        "Models see the published normalisation where a dataset has one, else that of their own training clips, so "
        "that no test clip has a part in it.",
    )
    return Table(_columns(), rows, notes)


def _row(results: Results, features: Result) -> Row:
    """Facts, what decoding counted, and what the features measured; keys that end in _clips are in the CSV only."""
    facts, audio = results.dataset(features.settings.dataset), features.inputs["audio"]
    cells: dict = {"dataset": facts.name, "task": facts.task, "classes": facts.num_classes or None}
    missing = next((r.why for r in (audio, features) if not r.ok), "")
    if missing:
        return Row(cells | {"clips": Cell(why=missing)})
    stored, measured = audio.record["results"], features.record["results"]
    treated = {name: stored.get("treated", {}).get(name, 0) for name, _ in TREATED}  # of made audio nothing is
    folds, splits, aside = stored.get("folds", {}), stored.get("splits", {}), stored.get("set_aside", {})
    cells |= {
        "clips": Cell(stored["clips"]),
        "parts": f"{len(folds)} folds" if folds else " / ".join(str(splits[s]) for s in SPLITS if s in splits),
        "set_aside": Cell(sum(aside.values()), note=", ".join(f"{n} {why}" for why, n in aside.items())),
        "hours": Cell(stored["hours"]),
        "frames": measured["frames"],
        "padded": Cell(measured["padded_share"]),
        "padded_clips": measured["padded_clips"],
        "cut": measured["cut_share"] or None,
        "cut_clips": measured["cut_clips"],
        **{name: number / stored["clips"] or None for name, number in treated.items()},
        **{f"{name}_clips": number for name, number in treated.items()},
        "mean": Cell(measured["measured_mean"], published=facts.mean, source="published" if facts.mean else ""),
        "std": Cell(measured["measured_std"], published=facts.std, source="published" if facts.std else ""),
    }
    return Row(cells, rests_on=(audio.path, features.path))


def _warnings(results: Results, features: Result) -> list[str]:
    audio = features.inputs["audio"]
    if not (audio.ok and features.ok):
        return []
    facts = results.dataset(features.settings.dataset)
    return [*warnings(facts, audio.frame(), audio.record["results"], features.record["results"])]


def _columns() -> tuple[Column, ...]:
    return (
        Column("dataset", "Dataset", align="left"),
        Column("task", "Task", align="left"),
        Column("classes", "Classes", decimals=0),
        Column("clips", "Clips", decimals=0),
        Column("parts", "Folds, or train / val / test", align="left"),
        Column("set_aside", "Set aside", decimals=0),
        Column("hours", "Hours"),
        Column("frames", "Frames", decimals=0),
        Column("padded", "Padding", "%", decimals=1, scale=100),
        Column("cut", "Cut off", "%", decimals=1, scale=100, floor=True),
        *(Column(name, header, "%", decimals=1, scale=100, floor=True) for name, header in TREATED),
        Column("mean", "Mean"),
        Column("mean", "Published mean", part="published"),
        Column("std", "Std"),
        Column("std", "Published std", part="published"),
    )
