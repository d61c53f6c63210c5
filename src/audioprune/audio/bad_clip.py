"""Why a clip cannot be used."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "missing",  # no such file
    "unreadable",  # no audio, or none of a format that is read
    "truncated",  # shorter than it says, or than its last packet
    "damaged",  # bytes inside were changed or lost
    "empty",  # no samples
    "too_long",
    "not_finite",
    "out_of_range",  # floats so large that their scale is anybody's guess
    "cancelling",  # channels whose mean is next to nothing
    "silent",
    "no_label",
]


class BadClip(Exception):
    """A clip that cannot be used: its reason, one of `Reason`, and what exactly was seen."""

    def __init__(self, reason: Reason, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail
