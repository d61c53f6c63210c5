"""The test set test-clean of LibriSpeech (Panayotov et al. 2015) alone: read sentences with transcripts, clear.

# DIFFERS: sentences longer than 30 s, a recogniser's window, are left out; others cut them there and count the rest as
not heard. With `longest: 35.0` they stay, and Whisper refuses them.
"""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets._librispeech import FRAMES, WINDOW, sentences
from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="librispeech-clean",
    task="transcription",
    classes=(),
    frames=FRAMES,
    source="librispeech-clean",
    metric="wer",
    content="speech",
    test_clips=2_620,
    hours=5.4,
)


def switches(options: dict) -> dict:
    """Options: test: the name of the part; longest: seconds above which a sentence is left out."""
    return options_of("librispeech-clean", options, test="test-clean", longest=WINDOW)


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each sentence of the part."""
    own = switches(options)
    return sentences(root, "librispeech-clean", {"test": own["test"]}, own["longest"])
