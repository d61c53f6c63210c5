"""What a part is given. Standard library only: the parent knows it too."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Given:
    out: Path  # of result files
    scratch: Path  # of everything else; gone at the end
    quick: bool  # small sizes, for two cores and two minutes
    audio: Path | None  # real speech: the folder of the digits' archive, or a decoded audio cell
    ends: float  # on time.monotonic's clock: the part is killed then

    @property
    def left(self) -> float:
        """Seconds until this part is killed."""
        return self.ends - time.monotonic()
