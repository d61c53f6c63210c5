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


PARTS: dict[Split, str] = {"train": "train-clean-100", "val": "dev-clean", "test": "test-clean"}


def switches(options: dict) -> dict:
    """Options: train, val, test: names of the parts; longest: seconds above which a sentence is left out."""
    return options_of("librispeech", options, **PARTS, longest=None)


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each sentence of the parts."""
    chosen = switches(options)
    parts: dict[Split, str] = {split: chosen[split] for split in PARTS}
    return sentences(root, "librispeech", parts, chosen["longest"])
