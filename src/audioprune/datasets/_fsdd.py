"""Takes of the Free Spoken Digit Dataset: recordings/<digit>_<speaker>_<take>.wav, 8 kHz."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple

from audioprune.datasets._options import listed
from audioprune.errors import UserError

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
TEST_TAKES = 5  # the official test set: takes 0 to 4 of every digit and speaker
NAME = re.compile(r"recordings/(\d)_([a-z]+)_(\d+)\.wav")


class Take(NamedTuple):
    path: str
    digit: int
    speaker: str
    number: int

    @property
    def id(self) -> str:
        return f"{self.digit}_{self.speaker}_{self.number}"

    @property
    def recording(self) -> str:
        return f"{self.speaker}-{self.digit}-{self.number}"

    @property
    def split(self) -> Literal["train", "test"]:
        return "test" if self.number < TEST_TAKES else "train"


def takes(root: Path, dataset: str) -> list[Take]:
    """All takes, sorted by digit, speaker and number."""
    found = []
    for path in listed(root, "recordings/*.wav", dataset):
        match = NAME.fullmatch(path)
        if not match or match[2] not in SPEAKERS:
            raise UserError(f"{dataset}: {path} is not named <digit>_<speaker>_<take>.wav with a known speaker")
        found.append(Take(path, int(match[1]), match[2], int(match[3])))
    return sorted(found, key=lambda take: (take.digit, take.speaker, take.number))
