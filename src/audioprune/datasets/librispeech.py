"""LibriSpeech (Panayotov et al. 2015): read sentences with transcripts; train-clean-100, dev-clean, test-clean.

What recognisers are adapted on. The test sets alone are librispeech-clean and librispeech-other.
"""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets._librispeech import FRAMES, Split, sentences
from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="librispeech",
    task="transcription",
    classes=(),
    frames=FRAMES,
    source="librispeech",
    metric="wer",
    content="speech",
    train_clips=28_539,
    test_clips=2_620,
    hours=111.4,
)


def clips(root: Path, options: dict) -> list[Clip]:
    """Options: train, val, test: names of the parts; longest: seconds above which a sentence is left out."""
    own = options_of("librispeech", options, train="train-clean-100", val="dev-clean", test="test-clean", longest=None)
    parts: dict[Split, str] = {"train": own["train"], "val": own["val"], "test": own["test"]}
    return sentences(root, "librispeech", parts, own["longest"])
