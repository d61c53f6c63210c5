"""Parts of LibriSpeech (Panayotov et al. 2015): their sentences, listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audioprune.datasets._options import lines_of, listed, options_of
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip, Dataset

Split = Literal["train", "val", "test"]
WINDOW = 30.0  # s, of a recogniser that hears no longer sentence
FRAMES = 3504  # ASSUME: 35.0 s: no sentence of the parts in use is longer, and a cut sentence would spoil the WER


@dataclass(frozen=True)
class TestSet:
    """One of its test sets as a dataset of its own.

    # DIFFERS: sentences longer than 30 s, a recogniser's window, are left out; others cut them there and count the rest
    as not heard. With `longest: 35.0` they stay, and Whisper refuses them.
    """

    name: str
    part: str  # its folder

    def facts(self, clips: int, hours: float) -> Dataset:
        return Dataset(
            name=self.name,
            task="transcription",
            classes=(),
            frames=FRAMES,
            source=self.name,
            metric="wer",
            content="speech",
            test_clips=clips,
            hours=hours,
        )

    def switches(self, options: dict) -> dict:
        """Options: test: the name of the part; longest: seconds above which a sentence is left out."""
        return options_of(self.name, options, test=self.part, longest=WINDOW)

    def clips(self, root: Path, options: dict) -> list[Clip]:
        """One clip for each sentence of the part."""
        own = self.switches(options)
        return sentences(root, self.name, {"test": own["test"]}, own["longest"])


def sentences(root: Path, dataset: str, parts: Mapping[Split, str], longest: float | None) -> list[Clip]:
    """One clip for each line "<speaker>-<chapter>-<n> TEXT" of the *.trans.txt files; a chapter is a recording.

    TEXT is upper-case letters and apostrophes, as the units of official checkpoints with a CTC head are.

    parts     {split: name of a part}
    longest   seconds above which a sentence is left out; None: none is
    """
    found = []
    for split, part in parts.items():
        for path in listed(root, f"{part}/*/*/*.trans.txt", dataset):
            folder = path.rpartition("/")[0]
            for line in lines_of(root / path, dataset):
                name, _, text = line.partition(" ")
                speaker, chapter = [*name.split("-"), ""][:2]
                audio, recording = f"{folder}/{name}.flac", f"{speaker}-{chapter}"
                if longest is not None and _seconds(root / audio, dataset) > longest:
                    continue
                clip = Clip(name, audio, split=split, recording=recording, speaker=speaker, transcript=text)
                found.append(clip)
    return found


def _seconds(path: Path, dataset: str) -> float:
    """Length of a FLAC file as the first block of its header says: 20 bits of rate, 8 others, 36 bits of samples."""
    try:
        with open(path, "rb") as file:
            head = file.read(26)
    except FileNotFoundError:
        raise UserError(f"{dataset}: {path} is missing: the dataset is not complete") from None
    packed = int.from_bytes(head[18:26], "big")
    if head[:4] != b"fLaC" or len(head) < 26 or not packed >> 44:
        raise UserError(f"{dataset}: {path} is no FLAC file")
    return (packed & (1 << 36) - 1) / (packed >> 44)
