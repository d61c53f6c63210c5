"""What is drawn anew when a dataset is resampled: source recordings, since clips of one are not independent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audioprune.datasets._base import Dataset


@dataclass(frozen=True)
class Unit:
    """Recordings are drawn, within each value of the column `within` if there is one.

    A clip that mixes several recordings names all of them, separated by `parts`. It counts as often as the product of
    their weights, as an edge does where the nodes of a network are drawn (Snijders and Borgatti 1999).
    """

    within: str = ""
    parts: str = ""

    def of(self, recording: str) -> tuple[str, ...]:
        """The recordings that a clip is made of, each once."""
        return tuple(dict.fromkeys(recording.split(self.parts))) if self.parts else (recording,)


RECORDINGS = Unit()
BY_SOURCE = {"fsdd": Unit(within="speaker")}  # the six speakers are given, their takes are a sample
BY_NAME = {"esc10mix": Unit(parts="+")}  # every clip is used in several mixtures


def unit_of(facts: Dataset) -> Unit:
    """The unit of a dataset: its own, that of its source, or else recordings alone."""
    return BY_NAME.get(facts.name) or BY_SOURCE.get(facts.source) or RECORDINGS
