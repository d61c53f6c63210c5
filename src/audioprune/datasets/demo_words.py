"""Made keywords: ten spoken words, tested on voices that training does not hear; a synthetic Speech Commands."""

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
    train_clips=600,
    test_clips=200,
)


def select(clips: DataFrame, options: dict) -> DataFrame:
    """All clips as they are."""
    options_of(FACTS.name, options)
    return clips
