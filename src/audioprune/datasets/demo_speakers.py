"""Generated speakers: which of twenty voices speaks; the clips and splits of demo-words; a synthetic VoxCeleb1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Dataset

if TYPE_CHECKING:
    from pandas import DataFrame

FACTS = Dataset(
    name="demo-speakers",
    task="speaker",
    classes=(
        "adam", "annie", "aunty", "belinda", "edward", "fiona", "gene", "grandpa", "ian", "jacky",
        "kit", "linda", "mario", "michael", "paul", "quincy", "rob", "ross", "shelby", "steph",
    ),
    frames=128,
    generator="words",
    content="speech",
    train_clips=1600,
    test_clips=400,
)  # fmt: skip


def select(clips: DataFrame, options: dict) -> DataFrame:
    """All clips, split as they are; the voice is the label."""
    options_of(FACTS.name, options)
    number = {voice: i for i, voice in enumerate(FACTS.classes)}
    return clips.assign(labels=[[number[voice]] for voice in clips["speaker"]])
