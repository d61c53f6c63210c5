"""Generated keywords: ten spoken words in twenty voices, split by utterance; a synthetic Speech Commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Dataset

if TYPE_CHECKING:
    from pandas import DataFrame

FACTS = Dataset(
    name="demo-words",
    task="keyword",
    classes=("cheese", "happy", "house", "marvin", "noise", "seven", "sheila", "three", "wow", "yes"),
    frames=128,
    generator="words",
    content="speech",
    train_clips=1600,
    test_clips=400,
)


def select(clips: DataFrame, options: dict) -> DataFrame:
    """All clips as they are."""
    options_of(FACTS.name, options)
    return clips
