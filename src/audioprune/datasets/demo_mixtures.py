"""Generated multi-label clips: one to three environmental sounds at once; a synthetic AudioSet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Dataset

if TYPE_CHECKING:
    from pandas import DataFrame

FACTS = Dataset(
    name="demo-mixtures",
    task="multilabel",
    classes=(
        "alarm", "bell", "bird", "clock", "crickets", "dog",
        "engine", "footsteps", "helicopter", "rain", "siren", "wind",
    ),
    frames=256,
    generator="mixtures",
    tau=0.05,  # agrees best with the generator, in steps of 0.05: above it lie 65 % of its signal, 30 % of the rest
    loss="bce",
    metric="map",
    train_clips=400,
    test_clips=150,
)  # fmt: skip


def select(clips: DataFrame, options: dict) -> DataFrame:
    """All clips as they are."""
    options_of(FACTS.name, options)
    return clips
