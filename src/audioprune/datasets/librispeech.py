"""LibriSpeech (Panayotov et al. 2015): read sentences with transcripts; train-clean-100, dev-clean, test-clean.

ASSUME: 3504 frames, 35.0 s: no sentence of these three parts is longer, and a cut sentence would spoil the WER.
"""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets._options import lines_of, listed, options_of
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="librispeech",
    task="transcription",
    classes=(),
    frames=3504,
    source="librispeech",
    metric="wer",
    content="speech",
    train_clips=28_539,
    test_clips=2_620,
)


def switches(options: dict) -> dict:
    """Options: train, val, test: names of the parts."""
    return options_of("librispeech", options, train="train-clean-100", val="dev-clean", test="test-clean")


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each line "<speaker>-<chapter>-<n> TEXT" of the *.trans.txt files; a chapter is a recording."""
    found = []
    for split, part in switches(options).items():
        for path in listed(root, f"{part}/*/*/*.trans.txt", "librispeech"):
            folder = path.rpartition("/")[0]
            for line in lines_of(root / path, "librispeech"):
                name, _, text = line.partition(" ")
                speaker, chapter = [*name.split("-"), ""][:2]
                audio, recording = f"{folder}/{name}.flac", f"{speaker}-{chapter}"
                clip = Clip(name, audio, split=split, recording=recording, speaker=speaker, transcript=text.lower())
                found.append(clip)
    return found
