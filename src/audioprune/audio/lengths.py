"""How many bytes of audio a file's header announces beyond the end of the file, which libsndfile does not report.

Formats of chunks (RIFF and its like, IFF, CAF, Wave64) are rows of `CHUNKED`; those with a plain header have a function
in `PLAIN`. Ogg and MPEG, which are streams of packets, are in audioprune.audio.streams. IRCAM, PVF and PAF headers say
no length; FLAC and HTK files are checked as they are decoded.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

PIPED = 0x7FFFF000  # bytes: from here on a 32-bit size is what programs write that stream to a pipe, and says nothing
SLACK = 44  # bytes: a header, which some writers count as audio
W64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # the end of the names of its chunks


class Chunked(NamedTuple):
    magic: re.Pattern[bytes]  # at the file's start
    first: int  # offset of the first chunk
    head: str  # a chunk's name and size
    audio: bytes  # name of the chunk that holds the audio
    align: int = 2
    inclusive: bool = False  # whether the size counts the chunk's head


CHUNKED = (
    Chunked(re.compile(rb"RIFF....WAVE", re.DOTALL), 12, "<4sI", b"data"),
    Chunked(re.compile(rb"RIFX....WAVE", re.DOTALL), 12, ">4sI", b"data"),
    Chunked(re.compile(rb"RF64....WAVE", re.DOTALL), 12, "<4sI", b"data"),
    Chunked(re.compile(rb"FORM....AIF[FC]", re.DOTALL), 12, ">4sI", b"SSND"),
    Chunked(re.compile(rb"FORM....(8SVX|16SV)", re.DOTALL), 12, ">4sI", b"BODY"),
    Chunked(re.compile(rb"caff"), 8, ">4sq", b"data", align=1),
    Chunked(re.compile(rb"riff.{12}", re.DOTALL), 40, "<16sQ", b"data" + W64, 8, True),
)  # fmt: skip


def missing_bytes(path: Path, form: str = "") -> int:
    """Bytes that the header of a file announces and the file does not have; 0 where it says nothing of the kind.

    form: libsndfile's name of its format; without it only formats of chunks are known.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(128).ljust(128, b"\0")
        chunked = next((row for row in CHUNKED if row.magic.match(head)), None)
        try:
            if chunked:
                return max(0, _chunk_end(file, chunked, head) - size)
            return max(0, PLAIN[form](file, head, size) - size) if form in PLAIN else 0
        except (struct.error, ValueError, OverflowError):  # the header is not what its first bytes promise
            return 0


def _chunk_end(file: BinaryIO, form: Chunked, head: bytes) -> int:
    """Offset at which the audio chunk ends, by its head; 0 where there is none, or where its size says nothing."""
    size, wide = file.seek(0, 2), 0
    place = form.first
    while place < size:
        file.seek(place)
        found = file.read(struct.calcsize(form.head))
        name, length = struct.unpack(form.head, found)
        start = place + len(found)
        length -= len(found) * form.inclusive
        if name == b"ds64":
            wide = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        if name == form.audio:
            if head[:4] == b"RF64" and length == 0xFFFFFFFF:
                length = wide
            elif length < 0 or (form.head[1:] == "4sI" and length >= PIPED):
                return 0
            return _told_whole(head, start + length, size)
        if length < 0 or not any(name):
            return 0
        place = start + length + -length % form.align
    return 0


def _told_whole(head: bytes, end: int, size: int) -> int:
    """End of a data chunk; 0 if the RIFF header says that the file is whole and the chunk is slightly too long."""
    whole = head[:4] == b"RIFF" and int.from_bytes(head[4:8], "little") + 8 == size
    return 0 if whole and end - size <= SLACK else end


def _au(file: BinaryIO, head: bytes, size: int) -> int:
    start, length = struct.unpack(">II" if head[:4] == b".snd" else "<II", head[4:12])
    return 0 if length >= PIPED else start + length


def _nist(file: BinaryIO, head: bytes, size: int) -> int:
    """SPHERE: a text header of a stated length; compressed audio (shorten) is not read anyway."""
    file.seek(0)
    start = int(head[8:16])
    text = file.read(min(start, 1 << 16)).decode("latin-1")
    values = dict(re.findall(r"^(\w+) -i (\d+)", text, re.MULTILINE))
    count, width, channels = (int(values.get(f, 0)) for f in ("sample_count", "sample_n_bytes", "channel_count"))
    return start + count * max(1, width) * max(1, channels)


def _voc(file: BinaryIO, head: bytes, size: int) -> int:
    """Creative Voice: blocks of a type and a 24-bit length, up to a block of type 0."""
    place = struct.unpack("<H", head[20:22])[0]
    while place < size:
        file.seek(place)
        kind, *length = file.read(4).ljust(4, b"\0")
        if kind == 0:
            return 0
        place += 4 + int.from_bytes(bytes(length), "little")
    return place


def _mat4(file: BinaryIO, head: bytes, size: int) -> int:
    """Matrices of a head of five numbers, a name, and values of a width that the first number says."""
    order, place = ("<" if head[0] == 0 else ">"), 0
    while place + 20 <= size:
        file.seek(place)
        kind, rows, columns, _, name = struct.unpack(f"{order}5i", file.read(20))
        width = {0: 8, 1: 4, 2: 4, 3: 2, 4: 2, 5: 1}.get(kind // 10 % 10, 0)
        if min(rows, columns, name) < 0 or not width:
            return 0
        place += 20 + name + rows * columns * width
    return place


def _mat5(file: BinaryIO, head: bytes, size: int) -> int:
    """Elements of a type and a length, from byte 128 on; libsndfile counts an element's own head of 8 bytes as well."""
    file.seek(126)
    order, place = ("<" if file.read(2) == b"IM" else ">"), 128
    while place + 8 <= size:
        file.seek(place)
        kind, length = struct.unpack(f"{order}II", file.read(8))
        place += 8 + (0 if kind >> 16 else length + -length % 8)
    return place - 8


def _avr(file: BinaryIO, head: bytes, size: int) -> int:
    """Audio Visual Research: mono flag, bits and a count of samples in a head of 128 bytes."""
    stereo, bits = struct.unpack(">hh", head[12:16])
    count = struct.unpack(">I", head[26:30])[0]
    return 128 + count * (2 if stereo else 1) * max(1, bits // 8)


PLAIN: dict[str, Callable[[BinaryIO, bytes, int], int]] = {
    "AU": _au,
    "NIST": _nist,
    "VOC": _voc,
    "MAT4": _mat4,
    "MAT5": _mat5,
    "AVR": _avr,
}
