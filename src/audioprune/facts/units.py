"""What a CTC head can say: words or characters of transcripts as numbers, and columns of numbers as a transcript.

Unit 0 is the blank. Words are those of the training transcripts, sorted. Characters are the letters of an official
checkpoint, or those of the training transcripts, sorted; `|` stands between words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from audioprune.errors import UserError

BLANK = "-"
BOUNDARY = "|"
OFFICIAL = (BLANK, BOUNDARY, *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")  # of wav2vec2's checkpoints, in their order


@dataclass(frozen=True)
class Units:
    kind: Literal["words", "chars"]
    names: tuple[str, ...]

    def numbers(self, transcript: str, clip: str) -> list[int]:
        """A transcript as units; UserError where it is empty or holds another one."""
        places = {name: number for number, name in enumerate(self.names) if number}
        parts = self._parts(transcript)
        if not parts:
            raise UserError(f"{clip} has an empty transcript: fix the CSV, or leave the clip out")
        for part in parts:
            if part not in places:
                shown = " ".join(self.names[1:30]) + (" ..." if len(self.names) > 30 else "")
                mend = "" if self.kind == "chars" else "say units: chars, or "
                raise UserError(f"the transcript of {clip} holds {part!r}, which is none of {shown}; {mend}fix the CSV")
        return [places[part] for part in parts]

    def transcript(self, columns: Iterable[int]) -> str:
        """Units by column -> what was heard: repeats are one, and blanks nothing."""
        heard = [self.names[number] for number, _ in groupby(columns) if number]
        if self.kind == "words":
            return " ".join(heard)
        return " ".join("".join(heard).replace(BOUNDARY, " ").split())

    def unknown(self, transcript: str) -> int:
        """Words that no output can match."""
        valid = set(self.names[1:])
        if self.kind == "words":
            return sum(word not in valid for word in transcript.split())
        return sum(not set(word) <= valid for word in transcript.split())

    def _parts(self, transcript: str) -> Sequence[str]:
        words = transcript.split()
        return words if self.kind == "words" else BOUNDARY.join(words)


def units_of(kind: Literal["words", "chars"], transcripts: Iterable[str]) -> Units:
    """Those of training transcripts."""
    found = {part for one in transcripts for part in Units(kind, ())._parts(one)}
    return Units(kind, (BLANK, *sorted(found)))


def needed(units: Sequence[int]) -> int:
    """Columns that a transcript takes at least: one a unit, and a blank between equal neighbours."""
    return len(units) + sum(first == second for first, second in pairwise(units))
