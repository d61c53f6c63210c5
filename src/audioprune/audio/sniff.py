"""What a file is that cannot be decoded, told from its first bytes, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

CONVERT = "convert it to WAV or FLAC, for example with `ffmpeg -i FILE FILE.flac`"

KNOWN: tuple[tuple[bytes, str], ...] = (
    (rb"version https://git-lfs\.github\.com", "is a pointer of Git LFS, not the file itself: run `git lfs pull`"),
    (rb"/annex/objects/|\.\./.*\.git/annex", "is a pointer of git-annex, not the file itself: run `git annex get`"),
    (rb"(?i)\s*<(!doctype html|html|head|\?xml|!--)", "is a web page, not audio: download it again"),
    (rb'(?i)\s*[{[]\s*["{[\]}]', "is JSON text, not audio: download it again"),
    (rb".{4}ftyp(3g|M4A|M4B|mp4|isom|iso2|qt|dash|MSNV|avc1)", f"is MPEG-4 audio or video (AAC, ALAC): {CONVERT}"),
    (rb".{4}(moov|mdat|wide|free|skip)", f"is a QuickTime or MPEG-4 file: {CONVERT}"),
    (rb"\xff[\xf0\xf1\xf8\xf9]", f"is AAC: {CONVERT}"),
    (rb"0&\xb2u\x8ef\xcf\x11", f"is Windows Media: {CONVERT}"),
    (rb"\x1aE\xdf\xa3", f"is Matroska or WebM: {CONVERT}"),
    (rb"#!AMR", f"is AMR: {CONVERT}"),
    (rb"wvpk", f"is WavPack: {CONVERT}"),
    (rb"MAC ", f"is Monkey's Audio: {CONVERT}"),
    (rb"TTA1|TTA2", f"is True Audio: {CONVERT}"),
    (rb"MPCK|MP\+", f"is Musepack: {CONVERT}"),
    (rb"\.RMF|\.ra\xfd", f"is RealAudio: {CONVERT}"),
    (rb"\x0bw", f"is AC-3: {CONVERT}"),
    (rb"DSD |FRM8", f"is DSD: {CONVERT}"),
    (rb"ajkg", f"is Shorten: {CONVERT}"),
    (rb"FLV", f"is Flash video: {CONVERT}"),
    (rb"RIFF.{4}AVI ", f"is a film (AVI): {CONVERT}"),
    (rb"RIFF.{4}RMID|MThd", "is MIDI: notes, not sound; render it to WAV"),
    (rb"RIFF.{4}WEBP|\x89PNG|\xff\xd8\xff|GIF8", "is a picture, not audio"),
    (rb"%PDF", "is a PDF document, not audio"),
    (rb"PK\x03\x04", "is a ZIP archive: unpack it, and list the files in it"),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!", "is compressed: unpack it"),
    (rb"\x93NUMPY", "is a NumPy array: write it as WAV with its sampling rate"),
    (rb"\x89HDF", "is HDF5: write its clips as WAV"),
    (rb"NIST_1A", f"is a SPHERE file with compressed samples: {CONVERT}"),
    (rb"OggS", f"is an Ogg file without Vorbis, Opus or FLAC in it: {CONVERT}"),
    (rb"RIFF.{4}WAVE|RF64|caff|FORM", f"is audio in an encoding that is not read, or its header is damaged: {CONVERT}"),
)
PATTERNS = tuple((re.compile(pattern, re.DOTALL), told) for pattern, told in KNOWN)


def what_it_is(path: Path) -> str:
    """'it is a web page, not audio: download it again'; empty where its first bytes say nothing."""
    with open(path, "rb") as file:
        head = file.read(512)
    if not head:
        return "it has no bytes: copy or download it again"
    if not head.strip(b"\0"):
        return "it begins with nothing but zeros, so it was probably not written completely; copy or download it again"
    found = next((what for pattern, what in PATTERNS if pattern.match(head)), "")
    if not found and _is_text(head):
        found = f"is text, not audio: it begins with {head[:40].decode(errors='replace').strip()!r}"
    return f"it {found}" if found else ""


def _is_text(head: bytes) -> bool:
    """Whether the bytes are UTF-8 (the last letter may be cut) without control characters."""
    text = head.decode("utf-8", "ignore")
    return len(text.encode()) >= len(head) - 3 and all(letter.isprintable() or letter.isspace() for letter in text)
