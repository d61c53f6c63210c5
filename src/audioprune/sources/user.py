"""A user's own data: a folder of audio files and a CSV in it (see planning.user_csv), no code."""

from __future__ import annotations

from typing import Literal

from audioprune.facts.dataset import Dataset
from audioprune.settings.data import UserFolder

METRICS: dict[str, Literal["map", "wer"]] = {"multilabel": "map", "transcription": "wer"}


def facts(name: str, user: UserFolder) -> Dataset:
    """What a user's folder is, in the terms of a built-in dataset."""
    return Dataset(
        name=name,
        task=user.task,
        classes=user.classes,
        frames=user.frames,
        folds=user.folds,
        loss="bce" if user.task == "multilabel" else "ce",
        metric=METRICS.get(user.task, "top1"),
    )
