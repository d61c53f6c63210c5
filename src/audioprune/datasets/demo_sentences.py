"""Generated sentences with transcripts, from a small grammar; a synthetic LibriSpeech."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Dataset

if TYPE_CHECKING:
    from pandas import DataFrame

FACTS = Dataset(
    name="demo-sentences",
    task="transcription",
    classes=(),
    frames=512,
    generator="sentences",
    metric="wer",
    content="speech",
    train_clips=300,
    test_clips=100,
)


def select(clips: DataFrame, options: dict) -> DataFrame:
    """All clips as they are."""
    options_of(FACTS.name, options)
    return clips
