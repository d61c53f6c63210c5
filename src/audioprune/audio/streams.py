"""Ogg and MPEG files, which are streams of packets: whether the last packet is there and all of them are undamaged.

Sources: RFC 3533 (Ogg pages), ISO 11172-3 (MPEG frames), the Xing and LAME tags as LAME writes them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from audioprune.audio.bad_clip import Reason

Fault = tuple[Reason, str]

REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
LAST_PAGE = 4  # flag of an Ogg page

# kbit/s by index; MPEG 1 layers I to III, then MPEG 2 and 2.5 layer I, and II and III
RATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
SAMPLING = (44100, 48000, 32000)  # Hz, of MPEG 1; a half and a quarter of it in MPEG 2 and 2.5
SEARCHED = 1 << 16  # bytes in which the first frame is looked for


def fault(path: Path, form: str) -> Fault | None:
    """What is wrong with an Ogg or MPEG file, by libsndfile's name of its format; None for others."""
    if form not in ("OGG", "MP3"):
        return None
    data = path.read_bytes()
    return _ogg_fault(data) if form == "OGG" else _mpeg_fault(data)


def _ogg_fault(data: bytes) -> Fault | None:
    if not data.startswith(b"OggS"):
        return None
    place = 0
    ended: dict[int, bool] = {}  # by stream
    numbers: dict[int, int] = {}
    while data[place : place + 4] == b"OggS":
        head = data[place : place + 27]
        segments = data[place + 27 : place + 27 + head[26]] if len(head) == 27 else b""
        end = place + 27 + len(segments) + sum(segments)
        if len(head) < 27 or len(segments) < head[26] or end > len(data):
            return "truncated", "it ends within a page of its Ogg stream"
        flags, serial, number, checksum = struct.unpack("<5xB8x3I", head[:26])
        if _checksum(data[place : place + 22] + bytes(4) + data[place + 26 : end]) != checksum:
            return (
                "damaged",
                f"page {number} of its Ogg stream has a wrong checksum: it was damaged after it was written",
            )
        if number != numbers.get(serial, number - 1) + 1:
            return "damaged", f"its Ogg stream lacks the pages between {numbers[serial]} and {number}"
        numbers[serial], ended[serial] = number, bool(flags & LAST_PAGE)
        place = end
    if not all(ended.values()):
        lost = place < len(data)
        where = "breaks off" if lost else "ends"
        return ("damaged" if lost else "truncated"), f"its Ogg stream {where} before its last page"
    return None


def _checksum(page: bytes) -> int:
    """CRC-32 of an Ogg page: the polynomial of zlib's, bits the other way round, nothing inverted."""
    mirrored = zlib.crc32(page.translate(REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _mpeg_fault(data: bytes) -> Fault | None:
    start = _first_frame(data)
    if start is None:
        return None
    if announced := _tagged_bytes(data[start : start + 512]):
        missing = start + announced - len(data)
        return (
            ("truncated", f"its header announces {missing} bytes of audio more than it holds") if missing > 0 else None
        )
    last = start
    for last, length in _frames(data, start):
        if last + length > len(data):
            return "truncated", "it ends within an MPEG frame"
    return None


def frames_of(path: Path) -> int:
    """Samples of an MPEG file without a tag, counted frame by frame; 0 where there is a tag, or no frame.

    libsndfile guesses them by the first bitrate, and reads no further: where it changes, that may be half of them.
    """
    data = path.read_bytes()
    start = _first_frame(data)
    if start is None or _tagged_bytes(data[start : start + 512]):
        return 0
    layer, first = 4 - (data[start + 1] >> 1 & 3), data[start + 1] >> 3 & 3 == 3
    each = 384 if layer == 1 else 576 if layer == 3 and not first else 1152
    return each * sum(1 for _ in _frames(data, start))


def _first_frame(data: bytes) -> int | None:
    """Offset of the first of two frames that follow each other, behind an ID3 tag."""
    start = 0
    if data[:3] == b"ID3" and len(data) >= 10:
        start = 10 + sum((byte & 127) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    for place in range(start, min(start + SEARCHED, len(data) - 4)):
        if data[place] == 0xFF and (length := _frame_length(data[place : place + 4])):
            following = data[place + length : place + length + 4]
            if len(following) < 4 or _frame_length(following):
                return place
    return None


def _frames(data: bytes, place: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of the frames that follow one another from `place` on."""
    while length := _frame_length(data[place : place + 4]):
        yield place, length
        place += length


def _frame_length(head: bytes) -> int:
    """Bytes of an MPEG audio frame, by its first four; 0 where they are no frame's."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)  # version 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    index, sampling, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or index in (0, 15) or sampling == 3:
        return 0
    kbits = RATES[(1, layer) if version == 3 else (2, min(layer, 2))][index]
    hertz = SAMPLING[sampling] >> (3 - version if version else 2)
    if layer == 1:
        return (12_000 * kbits // hertz + padding) * 4
    return (72_000 if layer == 3 and version != 3 else 144_000) * kbits // hertz + padding


def _tagged_bytes(frame: bytes) -> int:
    """Bytes of the whole stream by the tag in its first frame (Xing, Info or VBRI); 0 where there is none."""
    for name in (b"Xing", b"Info"):
        if (at := frame.find(name)) >= 0 and len(frame) >= at + 16:
            flags = frame[at + 7]
            place = at + 8 + 4 * (flags & 1)
            return int.from_bytes(frame[place : place + 4], "big") if flags & 2 else 0
    if (at := frame.find(b"VBRI")) >= 0:
        return int.from_bytes(frame[at + 10 : at + 14], "big")
    return 0
