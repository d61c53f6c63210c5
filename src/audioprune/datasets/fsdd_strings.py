"""FSDD as sentences: strings of three to five digits of one speaker, with their transcript; a miniature of LibriSpeech.

In every round each take is used once. Training strings are made of training takes only, test strings of test takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from audioprune.datasets._draws import draw, shuffled
from audioprune.datasets._fsdd import DIGITS, SPEAKERS, TEST_TAKES, Take, takes
from audioprune.datasets._options import options_of
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip, Dataset

Split = Literal["train", "test"]
SHORTEST, LONGEST = 3, 5
SPLITS: tuple[Split, ...] = ("train", "test")

FACTS = Dataset(
    name="fsdd-strings",
    task="transcription",
    classes=(),
    frames=384,
    source="fsdd",
    metric="wer",
    content="speech",
    train_clips=2696,
    test_clips=77,
    drawn_within="speaker",
)


def switches(options: dict) -> dict:
    """Options: train_rounds (4), test_rounds (1: the test strings are independent), seed (0), test_takes (5: the first
    takes of every digit and speaker are for tests, officially 5).
    """
    return options_of("fsdd-strings", options, train_rounds=4, test_rounds=1, seed=0, test_takes=TEST_TAKES)


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each string."""
    chosen = switches(options)
    every, found = takes(root, "fsdd-strings"), []
    for split in SPLITS:
        for speaker in SPEAKERS:
            for_test = split == "test"
            own = {t.id: t for t in every if t.speaker == speaker and (t.number < chosen["test_takes"]) == for_test}
            if 0 < len(own) < SHORTEST:
                raise UserError(f"fsdd-strings: {speaker} has too few {split} takes: the dataset is not complete")
            for number in range(chosen[f"{split}_rounds"]):
                order = [own[name] for name in shuffled(own, chosen["seed"], split, number)]
                what = (chosen["seed"], speaker, split, number)
                strings = enumerate(_cut(order, *what))
                found += [_string(part, split, f"{speaker}-{split}-{number}-{i}") for i, part in strings]
    return found


def _cut(order: list[Take], *what: str | int) -> Iterator[list[Take]]:
    """Cut into runs of three to five, such that what is left can be cut as well."""
    while order:
        left = len(order)
        lengths = [n for n in range(SHORTEST, LONGEST + 1) if left == n or left - n >= SHORTEST]
        length = lengths[draw(*what, left) % len(lengths)]
        yield order[:length]
        order = order[length:]


def _string(parts: list[Take], split: Split, name: str) -> Clip:
    return Clip(
        id=name,
        path=parts[0].path,
        split=split,
        recording=name,
        speaker=parts[0].speaker,
        transcript=" ".join(DIGITS[take.digit] for take in parts),
        parts=tuple(take.path for take in parts),
        join="concatenate",
    )
