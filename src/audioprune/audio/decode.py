"""Audio files of any rate, channel count and sample format -> 16 kHz mono float32, or a typed reason why not.

Channels are averaged. Resampling is polyphase with a linear-phase Kaiser low-pass of 64 zero crossings to each side: it
passes up to 91 % of the lower Nyquist frequency unchanged (within 0.001 dB) and is 87 dB down at that frequency, so no
alias reaches the lowest of 16 bits by much. Values are not rescaled: a float file may pass 1.
# ASSUME: the reference resamples ESC-50 with sox; the two low-pass filters differ above 7.3 kHz only.
"""

from __future__ import annotations

import math
import struct
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from scipy import signal

from audioprune.facts.mel import SAMPLE_RATE

Reason = Literal["missing", "unreadable", "truncated", "empty", "not_finite", "silent", "no_label"]

BLOCK = 1 << 20  # values (frames x channels) read at once: memory follows what a file holds, not what its header says
RATES = (1_000, 768_000)  # Hz: what is taken for a real sampling rate
CROSSINGS, BETA = 64, 8.6
PIPED = 0x7FFFF000  # bytes


class BadClip(Exception):
    """A clip that cannot be used: its reason, one of `Reason`, and what exactly was seen."""

    def __init__(self, reason: Reason, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def decode(path: Path) -> np.ndarray:
    """(L,) float32 at 16 kHz of one file. Raises BadClip."""
    samples, rate = read(Path(path))
    mono = samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]
    check_sound(mono)
    mono = resample(mono, rate)
    check_sound(mono)
    return mono


def decode_parts(paths: list[Path], join: Literal["", "concatenate", "mix"]) -> np.ndarray:
    """(L,) float32 of one clip made of several files. Raises BadClip, naming the file.

    concatenate: one after another. mix: each part is brought to the mean power of the parts (over its own samples)
    divided by their number, so that all are equally strong and the sum is as strong as a part; the shorter ones are
    padded with zeros at the end; the sum is divided by its peak where that passes 1.
    """
    if join not in ("concatenate", "mix"):
        raise ValueError(f"several files are joined by 'concatenate' or 'mix', not {join!r}")
    parts = []
    for path in paths:
        try:
            parts.append(decode(path))
        except BadClip as bad:
            raise BadClip(bad.reason, f"{Path(path).name}: {bad.detail}") from None
    return np.concatenate(parts) if join == "concatenate" else mix(parts)


def mix(parts: list[np.ndarray]) -> np.ndarray:
    """Sum of (L_i,) float32 waveforms at equal power, see `decode_parts`: (max L_i,) float32."""
    powers = [float(np.mean(np.square(part, dtype=np.float64))) for part in parts]
    target = sum(powers) / len(parts) ** 2
    total = np.zeros(max(map(len, parts)), dtype=np.float64)
    for part, power in zip(parts, powers, strict=True):
        total[: len(part)] += part * math.sqrt(target / power)
    return (total / max(1.0, float(np.abs(total).max()))).astype(np.float32)


def read(path: Path) -> tuple[np.ndarray, int]:
    """(frames, channels) float32 and the sampling rate, in Hz. Raises BadClip."""
    if not path.is_file():
        raise BadClip("missing", "there is no such file")
    blocks: list[np.ndarray] = []
    try:
        with soundfile.SoundFile(path) as file:
            rate, channels = file.samplerate, file.channels
            announced = 0 if file.format == "MP3" else file.frames  # an MP3 file's count is an estimate
            if not RATES[0] <= rate <= RATES[1]:
                raise BadClip("unreadable", f"its header gives a sampling rate of {rate} Hz")
            step = max(1, BLOCK // channels)
            while len(block := file.read(step, dtype="float32", always_2d=True)):
                blocks.append(block)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise BadClip("unreadable", str(error).replace(str(path), path.name)) from None
    found = sum(map(len, blocks))
    if found < announced:
        raise BadClip("truncated", f"its header announces {announced} frames, it holds {found}")
    if missing := missing_bytes(path):
        raise BadClip("truncated", f"its header announces {missing} bytes of audio more than it holds")
    if not found:
        raise BadClip("empty", "it holds no samples")
    samples = np.concatenate(blocks)  # (frames, channels)
    if not np.isfinite(samples).all():
        raise BadClip("not_finite", f"{np.count_nonzero(~np.isfinite(samples))} samples are NaN or infinite")
    return samples, rate


def check_sound(mono: np.ndarray) -> None:
    """Raise BadClip when (L,) holds nothing but one value, to 16 bits."""
    if np.ptp(np.rint(mono.astype(np.float64) * 32768)) == 0:
        raise BadClip("silent", f"all {len(mono)} samples are the same")


def resample(x: np.ndarray, rate: int) -> np.ndarray:
    """(L,) at `rate` Hz -> (ceil(L * 16000 / rate),) at 16 kHz, float32."""
    if rate == SAMPLE_RATE:
        return x.astype(np.float32, copy=False)
    common = math.gcd(rate, SAMPLE_RATE)
    up, down = SAMPLE_RATE // common, rate // common
    return signal.resample_poly(x, up, down, window=_low_pass(max(up, down))).astype(np.float32, copy=False)


@cache
def _low_pass(ratio: int) -> np.ndarray:
    """Low-pass at the lower Nyquist frequency, for a ratio whose larger term is `ratio`; unit gain at 0 Hz."""
    half = CROSSINGS * ratio
    taps = signal.firwin(2 * half + 1, 0.957 / ratio, window=("kaiser", BETA))
    return taps.astype(np.float32)


def missing_bytes(path: Path) -> int:
    """Bytes by which the data chunk of a RIFF/WAVE file passes the file's end; 0 for other files.

    libsndfile silently cuts such a chunk to what is there. Sizes from about 2 GiB on are what programs write that
    stream to a pipe; they announce nothing.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return 0
        while len(chunk := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            if name == b"data":
                return 0 if length >= PIPED else max(0, file.tell() + length - size)
            file.seek(length + length % 2, 1)
    return 0
