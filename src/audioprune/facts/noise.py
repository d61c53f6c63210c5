"""Kinds of disturbance that a trained model is asked about, and which of them say how robust it is."""

from __future__ import annotations

from typing import Literal

Disturbance = Literal["white", "pink", "babble", "other", "environment", "reverb", "gain"]

ADDED = ("white", "pink", "babble", "other", "environment")  # added to the clip, and in the means of robustness
BORROWED = ("babble", "other", "environment")  # made of other clips
REVERB = "reverb"  # its level is a reverberation time in seconds; that of all others a signal-to-noise ratio in dB
GAIN = "gain"  # the control: as loud as the mixture would be, without the noise
CLEAN = "clean"  # what all are compared with
