"""Kinds of disturbance that a trained model is asked about, and which of them say how robust it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Disturbance = Literal["white", "pink", "babble", "other", "environment", "reverb", "gain"]

ADDED = ("white", "pink", "babble", "other", "environment")  # added to the clip, and in the means of robustness
BORROWED = ("babble", "other", "environment")  # made of other clips
REVERB = "reverb"  # its level is a reverberation time in seconds; that of all others a signal-to-noise ratio in dB
GAIN = "gain"  # the control: as loud as the mixture would be, without the noise
CLEAN = "clean"  # what all are compared with


class Condition(NamedTuple):
    """How a clip is disturbed."""

    kind: str
    level: float  # dB; of `reverb` seconds
    draw: int


def conditions(kinds: Sequence[str], snrs: Sequence[float], t60s: Sequence[float], draws: int) -> Iterator[Condition]:
    """Every kind and draw at every level, those of one realisation one after another."""
    for kind in kinds:
        for draw in range(draws):
            for level in t60s if kind == REVERB else snrs:
                yield Condition(kind, level, draw)
