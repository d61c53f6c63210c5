"""FSDD as keywords: 3 000 takes of ten spoken digits; a miniature of Speech Commands.

64 frames are 0.66 s: 95 in 100 takes are shorter, the rest is cut, as long clips are everywhere.
"""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets._fsdd import DIGITS, takes
from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="fsdd-digits",
    task="keyword",
    classes=DIGITS,
    frames=64,
    source="fsdd",
    content="speech",
    train_clips=2700,
    test_clips=300,
    drawn_within="speaker",  # the six speakers are given, their takes are a sample
)


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each take; the official split: takes 0 to 4 are the test set."""
    options_of("fsdd-digits", options)
    return [
        Clip(take.id, take.path, (take.digit,), split=take.split, recording=take.recording, speaker=take.speaker)
        for take in takes(root, "fsdd-digits")
    ]
