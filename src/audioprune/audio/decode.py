"""Audio files of any rate, channel count and sample format -> 16 kHz mono float32, or a typed reason why not.

Channels are averaged, and resampled by audioprune.audio.resample. Samples of float files that pass full scale, which is
1, are brought below it by one divisor for the whole file (`divisor_of`); other files are not rescaled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from audioprune.audio.bad_clip import BadClip
from audioprune.audio.read import Raw, read
from audioprune.audio.resample import resample

LOUD = 8.0  # 18 dB above full scale: from here on floats are taken for 16-bit numbers
STEPS = 32768.0  # of 16 bits, to a full scale of 1
LOUDEST = 1 - 1 / STEPS  # what 16 bits hold
CANCELLED = 1e-3  # share of the channels' power below which their mean is not what was recorded


@dataclass(frozen=True)
class Sound:
    """A clip's waveform and what was done to its files."""

    waveform: np.ndarray  # (L,) float32 at 16 kHz
    rate: int  # Hz, of its file; the lowest of several
    channels: int  # of its file; the most of several
    divisor: float = 1.0  # of its samples; the largest of several


def decode(path: Path) -> np.ndarray:
    """(L,) float32 at 16 kHz of one file. Raises BadClip."""
    return sound(Path(path)).waveform


def sound(path: Path) -> Sound:
    """One file. Raises BadClip."""
    raw = read(path)
    check_mean(raw)
    check_sound(raw.mono)
    divisor = divisor_of(raw)
    mono = resample(raw.mono if divisor == 1 else raw.mono / np.float32(divisor), raw.rate)
    check_sound(mono)
    return Sound(mono, raw.rate, raw.channels, divisor)


def sound_of_parts(paths: list[Path], join: Literal["", "concatenate", "mix"]) -> Sound:
    """One clip made of several files. Raises BadClip, naming the file.

    concatenate: one after another. mix: each part is brought to the mean power of the parts (over its own samples)
    divided by their number, so that all are equally strong and the sum is as strong as a part; the shorter ones are
    padded with zeros at the end; the sum is divided by its peak where that passes 1.
    """
    if join not in ("concatenate", "mix"):
        raise ValueError(f"several files are joined by 'concatenate' or 'mix', not {join!r}")
    parts = []
    for path in paths:
        try:
            parts.append(sound(path))
        except BadClip as bad:
            raise BadClip(bad.reason, f"{Path(path).name}: {bad.detail}") from None
    waveforms = [part.waveform for part in parts]
    return Sound(
        np.concatenate(waveforms) if join == "concatenate" else mix(waveforms),
        min(part.rate for part in parts),
        max(part.channels for part in parts),
        max(part.divisor for part in parts),
    )


def mix(parts: list[np.ndarray]) -> np.ndarray:
    """Sum of (L_i,) float32 waveforms at equal power, see `sound_of_parts`: (max L_i,) float32."""
    powers = [float(np.mean(np.square(part, dtype=np.float64))) for part in parts]
    target = sum(powers) / len(parts) ** 2
    total = np.zeros(max(map(len, parts)), dtype=np.float64)
    for part, power in zip(parts, powers, strict=True):
        total[: len(part)] += part * math.sqrt(target / power)
    return (total / max(1.0, float(np.abs(total).max()))).astype(np.float32)


def divisor_of(raw: Raw) -> float:
    """What a file's samples are divided by: 1 up to full scale, and for all files of whole numbers and lossy packets.

    Floats that pass it are divided by their peak up to 18 dB above it, as an overloaded mixture is; beyond that by
    32768, as numbers of 16 bits that were written without scaling. Raises BadClip for still larger ones.
    # ASSUME: the reference keeps floats as they are: there such a clip is louder, and log-mel values differ by a
    constant.
    """
    if not raw.floating or raw.peak <= 1:
        return 1.0
    if raw.peak > STEPS:
        raise BadClip(
            "out_of_range",
            f"its samples reach {raw.peak:.3g}, but full scale of floating-point audio is 1: rescale the file",
        )
    return raw.peak / LOUDEST if raw.peak <= LOUD else STEPS


def check_mean(raw: Raw) -> None:
    """Raise BadClip where channels cancel each other, as where one of two is the other turned over."""
    power = float(np.mean(np.square(raw.mono, dtype=np.float64)))
    if raw.channels > 1 and power < CANCELLED * raw.power:
        raise BadClip(
            "cancelling",
            f"its {raw.channels} channels cancel: their mean has {100 * power / raw.power:.2g} % of their power; keep "
            "one channel, or invert one",
        )


def check_sound(mono: np.ndarray) -> None:
    """Raise BadClip when (L,) holds nothing but one value, to 16 bits."""
    if round(float(mono.max()) * STEPS) == round(float(mono.min()) * STEPS):
        raise BadClip("silent", f"all {len(mono)} samples are the same")
