"""A file of audio, decoded: the mean of its channels at its own rate, or a typed reason why not.

What is read is what libsndfile reads, in the formats whose length can be checked or that say none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from audioprune.audio import sniff, streams
from audioprune.audio.bad_clip import BadClip
from audioprune.audio.lengths import missing_bytes
from audioprune.facts.mel import SAMPLE_RATE

BLOCK = 1 << 20  # values (frames x channels) read at once: memory follows what a file holds, not what its header says
RATES = (1_000, 768_000)  # Hz: what is taken for a real sampling rate
LONGEST = 1 << 26  # samples, as they are and at 16 kHz (70 minutes): a few kB may unpack to any number
UNCHECKED = ("MPC2K", "SD2", "SDS", "WVE", "XI")  # read by libsndfile, but nothing says whether all is there, as it was
BARE = 4096  # bytes of a file that may be a header alone
MPEG = "MP3"
SLACK = 4 * 1152  # samples that a decoder of MPEG audio may swallow at both ends


@dataclass(frozen=True)
class Raw:
    """A file's samples, not rescaled."""

    mono: np.ndarray  # (L,) float32, mean of the channels
    rate: int  # Hz
    channels: int
    floating: bool  # whether the file's samples are floats, which may pass 1
    peak: float  # largest absolute value of any channel
    power: float  # mean square over all channels


def read(path: Path) -> Raw:
    """Raises BadClip for what is missing, unreadable, truncated, damaged, empty, too long or not finite."""
    if not path.is_file():
        raise BadClip("missing", "there is no such file")
    with _opened(path) as file:
        form, rate, channels = file.format, file.samplerate, file.channels
        if form in UNCHECKED:
            raise BadClip("unreadable", f"the length of {form} files cannot be checked: {sniff.CONVERT}")
        if not RATES[0] <= rate <= RATES[1]:
            raise BadClip("unreadable", f"its header gives a sampling rate of {rate} Hz")
        if fault := streams.fault(path, form):
            raise BadClip(*fault)
        if missing := missing_bytes(path, form):
            raise _truncated(missing)
        announced = 0 if form == MPEG else file.frames  # which is an estimate there
        blocks, peak, square, found = [], 0.0, 0.0, 0
        for block in _blocks(file, announced):
            found += len(block)
            if found * max(1.0, SAMPLE_RATE / rate) > LONGEST:
                raise BadClip("too_long", f"it lasts more than {LONGEST / SAMPLE_RATE / 60:.0f} minutes: cut it")
            if wrong := np.count_nonzero(~np.isfinite(block)):
                raise BadClip("not_finite", f"{wrong} samples are NaN or infinite")
            peak = max(peak, float(np.abs(block).max()))
            square += float(np.square(block, dtype=np.float64).sum())
            blocks.append(block.mean(axis=1) if channels > 1 else block[:, 0])
        floating = file.subtype in ("FLOAT", "DOUBLE")
    if form == MPEG and found < streams.frames_of(path) - SLACK:
        raise BadClip("unreadable", "its bitrate varies and no tag gives its length: add the tag with `ffmpeg -c copy`")
    if found < announced:
        raise BadClip("truncated", f"its header announces {announced} frames, it holds {found}")
    if not found:
        raise BadClip("empty", _nothing(path))
    return Raw(np.concatenate(blocks), rate, channels, floating, peak, square / found / channels)


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """The file opened by libsndfile, or a BadClip that says what it is instead."""
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise _unopened(path, error) from None
    with file:
        yield file


def _unopened(path: Path, error: Exception) -> BadClip:
    try:
        if missing := missing_bytes(path):
            return _truncated(missing)
        if fault := streams.fault(path, "OGG"):
            return BadClip(*fault)
        reason = str(error).rpartition(f"{path.name}': ")[2].replace(str(path), path.name)
        return BadClip("unreadable", sniff.what_it_is(path) or f"{reason.strip()} If it is audio, {sniff.CONVERT}")
    except OSError as closed:
        return BadClip("unreadable", closed.strerror or "it cannot be opened")


def _blocks(file: soundfile.SoundFile, announced: int) -> Iterator[np.ndarray]:
    """(n, channels) float32 until the end; a decoder that stumbles on the way makes it a BadClip."""
    step, found = max(1, BLOCK // file.channels), 0
    while True:
        try:
            block = file.read(step, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
            of = f"{found} of {announced}" if announced else f"only {found}"
            raise BadClip("damaged", f"{of} frames could be decoded: {error}") from None
        if not len(block):
            return
        found += len(block)
        yield block


def _truncated(missing: int) -> BadClip:
    return BadClip("truncated", f"its header announces {missing} bytes of audio more than it holds")


def _nothing(path: Path) -> str:
    size = path.stat().st_size
    if size <= BARE:
        return "it holds no samples"
    return (
        f"its header announces no audio, though the file has {size} bytes: writing it was not finished; write it again"
    )
