"""What was done to the audio of a dataset, in numbers of clips, and which clips are questionable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.facts.mel import SAMPLE_RATE, WINDOW
from audioprune.wording import listing

if TYPE_CHECKING:
    import pandas as pd


def treated(clips: pd.DataFrame) -> dict[str, int]:
    """Numbers of clips by what was done to them; `low_rate` are those that were sampled below 16 kHz.

    `no_frame`: those shorter than a window of the front end, which have nothing but padding after their one frame.
    """
    return {
        "resampled": int(((clips["rate"] > 0) & (clips["rate"] != SAMPLE_RATE)).sum()),
        "low_rate": int(((clips["rate"] > 0) & (clips["rate"] < SAMPLE_RATE)).sum()),
        "mixed_down": int((clips["channels"] > 1).sum()),
        "scaled": int((clips["divisor"] != 1).sum()),
        "clipped": int((clips["clipped"] > 0).sum()),
        "no_frame": int((clips["length"] < WINDOW).sum()),
    }


def questioned(clips: pd.DataFrame) -> Iterator[str]:
    """Clips that are used, though they are hardly what they should be, by name."""
    for what, found in (
        ("shorter than one frame of 25 ms", clips["length"] < WINDOW),
        ("floats beyond full scale, divided", clips["divisor"] != 1),
    ):
        if names := clips["clip"][found].tolist():
            yield f"{what}: {listing(names)}"
