"""Files that were cut short or damaged, in each format that says or implies its length, and files that are no audio."""

from __future__ import annotations

import math
import struct
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile

from audioprune.audio import sniff, streams
from audioprune.audio.bad_clip import BadClip
from audioprune.audio.decode import decode
from audioprune.audio.read import UNCHECKED
from tests import REPOSITORY

FIXTURES = REPOSITORY / "tests" / "fixtures" / "audio"
SILENT = {"IRCAM", "PAF", "PVF"}  # headers that say no length
UNPLAYED = {"RAW", *UNCHECKED}
SECONDS = 3
_folder = TemporaryDirectory()


@cache
def encodings() -> list[tuple[str, str]]:
    """(format, subtype) of all that this libsndfile writes and reads again to the full length."""
    found = []
    for form in sorted(set(soundfile.available_formats()) - UNPLAYED):
        for subtype in sorted(soundfile.available_subtypes(form)):
            if written(form, subtype) is not None:
                found.append((form, subtype))
    return found


@cache
def written(form: str, subtype: str) -> bytes | None:
    """A file of noise over a tone; None where it is not written, or not read as it was written."""
    path = Path(_folder.name) / f"{form}-{subtype}"
    wave = 0.3 * np.sin(0.3 * np.arange(SECONDS * 16000))
    wave += 0.05 * np.random.default_rng(0).standard_normal(len(wave))
    try:
        soundfile.write(path, wave, 16000, format=form, subtype=subtype)
        with soundfile.SoundFile(path) as file:
            frames = len(file.read(1 << 20))
    except (soundfile.SoundFileError, ValueError):
        return None
    return path.read_bytes() if frames >= len(wave) else None


def reason_of(path: Path) -> BadClip:
    with pytest.raises(BadClip) as caught:
        decode(path)
    return caught.value


@pytest.mark.parametrize(("form", "subtype"), encodings())
def test_whole_files_are_read_and_cut_ones_are_not(tmp_path, form, subtype):
    whole = written(form, subtype)
    path = tmp_path / f"a.{form.lower()}"
    path.write_bytes(whole)
    assert len(decode(path)) >= 0.99 * SECONDS * 16000  # Creative Voice rounds the rate
    if form in SILENT:
        return
    for share in (0.3, 0.9, 0.99):
        path.write_bytes(whole[: math.ceil(share * len(whole))])
        bad = reason_of(path)
        if bad.reason not in ("truncated", "damaged"):
            assert form in ("HTK", "VOC", "AIFF"), bad  # libsndfile does not even take them for what they were
            assert bad.reason == "unreadable"


def test_what_is_tried_holds_the_formats_that_people_have():
    assert len(encodings()) > 80
    assert {form for form, _ in encodings()} >= {
        "WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3", "NIST", "VOC", "MAT4", "MAT5",
    }  # fmt: skip


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_rifx_which_has_its_bytes_the_other_way_round(tmp_path, subtype):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.sin(np.arange(16000)), 16000, endian="BIG", subtype=subtype)
    whole = path.read_bytes()
    assert whole[:4] == b"RIFX"
    assert len(decode(path)) == 16000
    path.write_bytes(whole[:9000])
    assert reason_of(path).detail == f"its header announces {len(whole) - 9000} bytes of audio more than it holds"


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("trunc.mp3", "truncated", "bytes of audio more than it holds"),
        ("trunc.ogg", "truncated", "it ends within a page"),
        ("corrupt.ogg", "damaged", "wrong checksum"),
        ("aac_named.wav", "unreadable", "MPEG-4 audio or video .*: convert it to WAV or FLAC.*ffmpeg"),
        ("gitlfs.wav", "unreadable", "a pointer of Git LFS, not the file itself: run `git lfs pull`"),
        ("html.wav", "unreadable", "a web page, not audio: download it again"),
        ("text.mp3", "unreadable", "text, not audio: it begins with 'hello'"),
    ],
)
def test_files_as_people_met_them(name, reason, detail):
    with pytest.raises(BadClip, match=detail) as caught:
        decode(FIXTURES / name)
    assert caught.value.reason == reason


def test_two_samples_are_read():
    assert len(decode(FIXTURES / "short_2.wav")) == 2


def wav(**sizes: int) -> bytes:
    """One second of 16-bit WAV, with sizes in its headers that may be others than the true ones."""
    samples = (9000 * np.sin(0.3 * np.arange(16000))).astype("<i2").tobytes()
    head = struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    riff, data = sizes.get("riff", 36 + len(samples)), sizes.get("data", len(samples))
    return b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + head + b"data" + struct.pack("<I", data) + samples


def test_a_recorder_that_did_not_finish_its_file_is_named(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(riff=0, data=0))
    bad = reason_of(tmp_path / "a.wav")
    assert bad.reason == "empty"
    assert bad.detail.startswith("its header announces no audio, though the file has 32044 bytes")


@pytest.mark.parametrize("more", [16, 36, 44])
def test_a_writer_that_counts_its_header_as_audio_is_forgiven(tmp_path, more):
    (tmp_path / "a.wav").write_bytes(wav(data=32000 + more))
    assert len(decode(tmp_path / "a.wav")) == 16000
    (tmp_path / "b.wav").write_bytes(wav(data=32000 + more)[:-2])  # and does not end where its first header says
    assert reason_of(tmp_path / "b.wav").reason == "truncated"
    (tmp_path / "c.wav").write_bytes(wav(data=32000 + 46))
    assert reason_of(tmp_path / "c.wav").reason == "truncated"


# --- Ogg and MPEG streams --------------------------------------------------------------------------------------------


def pages(data: bytes) -> list[bytes]:
    """The pages of an Ogg stream, found by their mark."""
    return [b"OggS" + part for part in data.split(b"OggS")[1:]]


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_pages_that_are_lost_or_changed(tmp_path, subtype):
    whole = written("OGG", subtype)
    parts = pages(whole)
    assert len(parts) > 3
    path = tmp_path / "a.ogg"

    def fault(*kept: bytes):
        path.write_bytes(b"".join(kept))
        return streams.fault(path, "OGG")

    assert fault(*parts) is None
    assert fault(*parts, b"TAG and whatever follows") is None
    assert fault(*parts[:-1]) == ("truncated", "its Ogg stream ends before its last page")
    assert fault(*parts[:-1], b"not a page") == ("damaged", "its Ogg stream breaks off before its last page")
    reason, detail = fault(*parts[:2], *parts[3:])
    assert (reason, "lacks the pages between" in detail) == ("damaged", True)
    changed = bytearray(parts[2])
    changed[-1] ^= 1
    reason, detail = fault(*parts[:2], bytes(changed), *parts[3:])
    assert (reason, "checksum" in detail) == ("damaged", True)


def test_an_mp3_without_a_tag_must_end_with_a_whole_frame(tmp_path):
    path = tmp_path / "whole.mp3"
    wave = np.random.default_rng(0).uniform(-0.3, 0.3, SECONDS * 16000)
    soundfile.write(path, wave, 16000, bitrate_mode="CONSTANT", compression_level=0.5)
    whole = path.read_bytes()
    frames = [place for place in range(len(whole)) if whole[place : place + 2] == whole[:2]]  # MPEG 2, layer III
    bare = whole[frames[1] :]  # without the first frame, which has the tag
    assert b"Info" not in bare
    assert b"Xing" not in bare
    (tmp_path / "a.mp3").write_bytes(bare)
    assert len(decode(tmp_path / "a.mp3")) > 0.95 * SECONDS * 16000
    (tmp_path / "a.mp3").write_bytes(bare + b"TAG" + bytes(125))
    assert streams.fault(tmp_path / "a.mp3", "MP3") is None
    (tmp_path / "a.mp3").write_bytes(bare[:-20])
    assert streams.fault(tmp_path / "a.mp3", "MP3") == ("truncated", "it ends within an MPEG frame")


def test_an_mp3_of_changing_bitrate_without_a_tag_is_not_read_to_half(tmp_path):
    whole = written("MP3", "MPEG_LAYER_III")  # which libsndfile writes with a changing bitrate
    second = whole.index(whole[:2], 2)
    (tmp_path / "a.mp3").write_bytes(whole[second:])
    with soundfile.SoundFile(tmp_path / "a.mp3") as file:
        assert len(file.read()) < 0.6 * SECONDS * 16000
    bad = reason_of(tmp_path / "a.mp3")
    assert bad.reason == "unreadable"
    assert "ffmpeg -c copy" in bad.detail


@pytest.mark.parametrize(
    ("head", "length"),
    [
        ("fffb9064", 417),  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 144 * 128000 / 44100
        ("fffb9264", 418),  # padded by a byte
        ("fff3a8c4", 432),  # MPEG 2 layer III, 96 kbit/s, 16 kHz: 72 * 96000 / 16000
        ("fffda000", 626),  # MPEG 1 layer II, 192 kbit/s, 44.1 kHz: 144 * 192000 / 44100 = 626.9
        ("00000000", 0),
        ("fffbf064", 0),  # no such bitrate
    ],
)
def test_lengths_of_frames_by_hand(head, length):
    assert streams._frame_length(bytes.fromhex(head)) == length


# --- what a file is that is no audio, or of a format that is not read ------------------------------------------------


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"\0\0\0\x1cftypM4A \0\0\0\0", "MPEG-4"),
        (b"\xff\xf1\x50\x80", "AAC"),
        (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9", "Windows Media"),
        (b"\x1aE\xdf\xa3\x01\0", "WebM"),
        (b"#!AMR\n", "AMR"),
        (b'{"error": "not found"}', "JSON"),
        (b"\n<html><body>", "web page"),
        (b"PK\x03\x04", "ZIP"),
        (b"RIFF\0\0\0\0AVI LIST", "film"),
        (b"\x89PNG\r\n", "picture"),
        (b"../../.git/annex/objects/x", "git-annex"),
        (bytes(600), "nothing but zeros"),
        (b"", "no bytes"),
        (b"file,label\na.wav,b\n", "text, not audio: it begins with 'file,label"),
        (b"\x07\x81\x92 nothing known", ""),
    ],
)
def test_first_bytes_say_what_it_is(tmp_path, head, told):
    (tmp_path / "a.wav").write_bytes(head)
    assert told in sniff.what_it_is(tmp_path / "a.wav") if told else sniff.what_it_is(tmp_path / "a.wav") == ""
    bad = reason_of(tmp_path / "a.wav")
    assert bad.reason == "unreadable"
    assert told in bad.detail


def test_formats_whose_length_cannot_be_checked_are_told_how_to_convert(tmp_path):
    soundfile.write(tmp_path / "a.wve", np.sin(np.arange(8000)), 8000, format="WVE", subtype="ALAW")
    bad = reason_of(tmp_path / "a.wve")
    assert bad.detail == f"the length of WVE files cannot be checked: {sniff.CONVERT}"
