"""The corpus on which the tiny backbones are pre-trained: mixtures of sounds and words; a synthetic AudioSet-2M.

Its words and voices, and every random draw, differ from those of the evaluated demo datasets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Dataset

if TYPE_CHECKING:
    from pandas import DataFrame

FACTS = Dataset(
    name="demo-corpus",
    task="multilabel",
    classes=(
        "alarm", "bell", "bird", "clock", "crickets", "dog", "drip", "engine",
        "footsteps", "helicopter", "knock", "rain", "siren", "waves", "whistle", "wind",
        "word-backward", "word-eight", "word-five", "word-follow",
        "word-learn", "word-monday", "word-visual", "word-zero",
    ),
    frames=512,
    generator="corpus",
    loss="bce",
    metric="map",
)  # fmt: skip


def select(clips: DataFrame, options: dict) -> DataFrame:
    """All clips as they are; all are for training."""
    options_of(FACTS.name, options)
    return clips
