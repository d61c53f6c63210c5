"""Made speakers: which of twenty voices speaks; the clips of demo-words, split by utterance; a synthetic VoxCeleb1."""

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
    train_clips=600,
    test_clips=200,
)  # fmt: skip
WORDS = 10  # a voice's utterances run through the words again and again


def select(clips: DataFrame, options: dict) -> DataFrame:
    """The voice is the label; of a voice's utterances one in four tests, every word as often as any other."""
    options_of(FACTS.name, options)
    number = {voice: i for i, voice in enumerate(FACTS.classes)}
    nth = clips.groupby("speaker").cumcount()  # of this voice's utterances
    tests = (nth % WORDS + nth // WORDS) % 4 == 3
    return clips.assign(
        labels=[[number[voice]] for voice in clips["speaker"]],
        split=["test" if test else "train" for test in tests],
    )
