"""Data: fetched, made, brought, decoded, and turned into features."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audioprune.settings.closed import Closed, OptionValue


class FetchSettings(Closed):
    source: str = Field(description="a row of workflow/sources.yaml: an archive or a checkpoint")


class GenerateSettings(Closed):
    """Audio that a generator makes: a corpus, or a data set."""

    generator: str = Field(description="a module of audioprune.generators")
    clips: int = Field(gt=0, description="clips made")
    seed: int = Field(0, description="of everything that is drawn at random")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="the generator's own options")


class UserFolder(Closed):
    """A user's own data: a folder of audio files and a CSV, no code."""

    folder: str = Field(description="where the audio files lie")
    csv: str = Field(description="columns: file, label (several joined by ;), optional split, fold, recording, speaker")
    task: Literal["keyword", "environmental", "speaker", "multilabel", "transcription"] = Field(
        description="kind of data: decides the loss, the metric and beside which of the paper's datasets it is shown"
    )
    classes: tuple[str, ...] = Field(description="label names in the order of their numbers")
    frames: int = Field(gt=0, le=1024, multiple_of=16, description="length of the model's input, in frames of 10 ms")
    folds: int = Field(1, ge=1, description="number of folds; 1: a fixed split")


class AudioSettings(Closed):
    """Decoding into a 16 kHz mono waveform store."""

    dataset: str = Field(description="a built-in dataset, or one of the user's")
    bad_clips: Literal["stop", "set_aside"] = Field(
        "stop", description="what to do about a clip that cannot be decoded, is silent, has NaN or has no label"
    )
    options: dict[str, OptionValue] = Field(default_factory=dict, description="the dataset's own switches")
    user: UserFolder | None = Field(None, description="where the user's data lies, and what it is")


class FeaturesSettings(Closed):
    """fbank of every clip; mean and std are the dataset's published ones, or None: those of a run's training clips."""

    dataset: str = Field(description="a built-in dataset, or one of the user's")
    frames: int = Field(
        gt=0, multiple_of=16, description="frames of 10 ms kept of each clip, padded where it is shorter"
    )
    mean: float | None = Field(None, description="of log-mel values; none: that of a run's training clips")
    std: float | None = Field(None, description="their standard deviation; values are divided by twice as much")
