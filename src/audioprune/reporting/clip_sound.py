"""A clip's sound as it stands in a page: Ogg Opus, two kilobytes a second, the same bytes each time."""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import TYPE_CHECKING

from audioprune.facts.mel import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.96  # of compression, from 0 to 1: about 18 kbit a second, where Opus still sounds like its source
PAGE = 27  # bytes of an Ogg page's header before its table of segments (RFC 3533, section 6)
SERIAL = 1  # of the stream, instead of libsndfile's, which is drawn at random
POLYNOMIAL = 0x04C11DB7


def opus(waveform: np.ndarray) -> bytes:
    """(L,) int16 at 16 kHz mono -> an .opus file."""
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, waveform, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=LEVEL)
    return numbered(out.getvalue())


def numbered(stream: bytes, serial: int = SERIAL) -> bytes:
    """An Ogg stream whose pages have this serial number, and checksums that fit it."""
    found, place = [], 0
    while place < len(stream):
        if stream[place : place + 4] != b"OggS":
            raise ValueError(f"no Ogg page at byte {place}")
        segments = stream[place + 26]
        length = PAGE + segments + sum(stream[place + PAGE : place + PAGE + segments])
        page = bytearray(stream[place : place + length])
        page[14:18] = struct.pack("<I", serial)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", checksum(bytes(page)))
        found.append(bytes(page))
        place += length
    return b"".join(found)


def checksum(page: bytes) -> int:
    """CRC of an Ogg page whose own checksum is zero: not reflected, no initial value (RFC 3533)."""
    value, table = 0, _table()
    for byte in page:
        value = (value << 8) & 0xFFFFFFFF ^ table[value >> 24 ^ byte]
    return value


@cache
def _table() -> tuple[int, ...]:
    found = []
    for first in range(256):
        value = first << 24
        for _ in range(8):
            value = (value << 1) & 0xFFFFFFFF ^ (POLYNOMIAL if value >> 31 else 0)
        found.append(value)
    return tuple(found)
