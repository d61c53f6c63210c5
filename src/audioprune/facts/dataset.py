"""The description of a dataset: facts, and how to list its clips. No torch, no decoding.

A module of audioprune.datasets holds `FACTS = Dataset(...)` and `def clips(root: Path, options: dict) -> list[Clip]`;
one whose audio the project makes has `def select(clips: DataFrame, options: dict) -> DataFrame` instead, over its
generator's clips. One with options of its own has `def switches(options: dict) -> dict`, which lays them over their
defaults and raises UserError for others: planning asks it, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Task = Literal["keyword", "environmental", "speaker", "multilabel", "transcription"]


@dataclass(frozen=True)
class Dataset:
    """Facts of one dataset (paper.md 1.1)."""

    name: str
    task: Task
    classes: tuple[str, ...]  # label names by number; empty for transcription
    frames: int  # target fbank frames T, a multiple of 16
    source: str = ""  # a row of workflow/sources.yaml ...
    generator: str = ""  # ... or a module of audioprune.generators
    folds: int = 1  # 1: a fixed train / (val) / test split
    mean: float | None = None  # of the fbank; None: that of a run's training clips
    std: float | None = None
    loss: Literal["ce", "bce"] = "ce"
    metric: Literal["top1", "map", "wer"] = "top1"
    content: Literal["speech", "general"] = "general"
    tau: float | None = None  # signal threshold on the normalised patch mean; that of P0 where it has one
    train_clips: int = 0  # of one run (all folds but one), for planning; 0: not known beforehand
    test_clips: int = 0
    hours: float = 0.0  # of all clips together, where few are as long as `frames`; 0: not known beforehand
    drawn_within: str = ""  # the column of clips, if any, within whose values recordings are drawn anew (speaker)
    mixed_by: str = ""  # what separates the recordings of a clip that mixes several of them

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def all_test_clips(self) -> int:
        """Test clips of all folds together."""
        return self.test_clips * self.folds


@dataclass(frozen=True)
class Clip:
    """One clip of a dataset, before decoding."""

    id: str  # unique in the dataset, stable across machines
    path: str  # relative to the root that clips() was given
    labels: tuple[int, ...] = ()
    fold: int = 0  # 1..folds: the fold in which this clip is tested; 0: not folded
    split: Literal["train", "val", "test", ""] = ""  # fixed split; empty when folded
    recording: str = ""  # source recording: clips of one recording are not independent
    speaker: str = ""
    transcript: str = ""
    parts: tuple[str, ...] = ()  # several files joined one after another (digit strings) or mixed (see `join`)
    join: Literal["", "concatenate", "mix"] = ""
    extents: tuple[tuple[float, float, float, float], ...] = ()  # known signal: start s, end s, low Hz, high Hz
    meta: dict = field(default_factory=dict)
