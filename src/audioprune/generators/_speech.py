"""Speech through espeak-ng: voices, and utterances as 16 kHz waveforms.

espeak-ng comes as a compiled library with its data in the package `espeakng-loader`, on Linux and macOS alike.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import struct
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np

from audioprune.errors import UserError
from audioprune.generators import _espeak
from audioprune.generators._synthesis import resample, unit


@dataclass(frozen=True)
class Voice:
    """One made-up speaker: an English accent, a voice variant, and a habit of pitch and speed."""

    id: str
    file: str  # accent and variant as files of espeak-ng's data, so that no search by name is involved
    pitch: int  # 0..100; what it means in Hz depends on the variant
    rate: int  # words a minute


@dataclass(frozen=True)
class Utterance:
    """Everything that an utterance's sound depends on."""

    text: str
    voice: str
    rate: int = 170  # 80..450 words a minute
    pitch: int = 50  # 0..100
    range: int = 50  # 0..100, liveliness of the pitch


class Espeak:
    """The speaking process; `say` gives int16 samples at `rate` Hz."""

    def __init__(self) -> None:
        import espeakng_loader

        library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
        command = [sys.executable, "-I", "-S", _espeak.__file__, library, data]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.requests, self.answers = self.process.stdin, self.process.stdout
        try:
            (self.rate,) = struct.unpack("<i", self._read(4))
        except EOFError:
            self.rate = 0
        if not self.rate:
            self.close()
            raise UserError(
                f"espeak-ng could not be started from {library}; reinstall the package espeakng-loader "
                "(`make setup`), or leave out the datasets that contain speech"
            )

    def say(self, utterance: Utterance) -> np.ndarray:
        try:
            self.requests.write(json.dumps(asdict(utterance)).encode() + b"\n")
            self.requests.flush()
            status, size = _espeak.ANSWER.unpack(self._read(_espeak.ANSWER.size))
            pcm = np.frombuffer(self._read(size), dtype="<i2")
        except (BrokenPipeError, EOFError):
            status = self.process.wait()
            raise UserError(f"the speaking process was killed from outside (status {status}); run again") from None
        if status or not pcm.any():
            raise UserError(f"espeak-ng could not speak {utterance} (status {status})")
        return pcm

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # it was killed with a request on its way
            self.requests.close()
        self.process.wait()
        self.answers.close()

    def _read(self, size: int) -> bytes:
        data = self.answers.read(size)
        if len(data) < size:
            raise EOFError("the speaking process ended")
        return data


@cache
def _espeak_here() -> Espeak:
    """This process's own speaking process, started when first needed."""
    started = Espeak()
    atexit.register(started.close)
    return started


def say(utterance: Utterance) -> np.ndarray:
    """The utterance at 16 kHz, unit RMS, silence at both ends cut off -> float64 (n,)."""
    espeak = _espeak_here()
    pcm = espeak.say(utterance).astype(np.float64)
    loud = np.flatnonzero(np.abs(pcm) > 0.005 * np.abs(pcm).max())
    kept = np.pad(pcm[loud[0] : loud[-1] + 1], 64)  # a little silence for the resampling to ring into
    return unit(resample(kept, espeak.rate))
