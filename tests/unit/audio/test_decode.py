"""Decoding: values after averaging and resampling, and every reason for which a clip is refused."""

from __future__ import annotations

import math
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audioprune.audio.bad_clip import BadClip
from audioprune.audio.decode import decode, mix, sound, sound_of_parts
from audioprune.audio.resample import ratio, resample
from audioprune.audio.store import quantise


def tone(rate: int, hz: float = 1000.0, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)


def reason_of(path: Path) -> BadClip:
    with pytest.raises(BadClip) as caught:
        decode(path)
    return caught.value


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("hz", [100, 3300, 7200])
def test_resampling_keeps_tones(rate, hz):
    if hz > 0.45 * rate:
        hz = 0.41 * rate
    out = resample(tone(rate, hz).astype(np.float32), rate)
    assert out.dtype == np.float32
    assert len(out) == 16000
    assert np.abs(out - tone(16000, hz))[400:-400].max() < 2e-4


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
@pytest.mark.parametrize("hz", [8000, 9000, 10500])
def test_resampling_leaves_no_alias(rate, hz):
    out = resample(tone(rate, hz).astype(np.float32), rate)
    assert np.abs(out[400:-400]).max() < 0.5 * 10 ** (-80 / 20)


def test_resampling_keeps_the_level_and_rounds_the_length_up():
    out = resample(np.ones(4410, np.float32), 44100)
    assert np.abs(out[300:-300] - 1).max() < 1e-4
    assert len(out) == 1600
    assert len(resample(np.ones(101, np.float32), 8000)) == 202
    assert len(resample(np.ones(100, np.float32), 44100)) == 37


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_16", 2e-4), ("wav", "PCM_24", 2e-4), ("wav", "PCM_U8", 1e-2), ("wav", "FLOAT", 2e-4),
        ("wav", "DOUBLE", 2e-4), ("flac", "PCM_16", 2e-4), ("ogg", "VORBIS", 6e-2), ("aiff", "PCM_16", 2e-4),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_formats_and_rates(tmp_path, suffix, subtype, tolerance, rate):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(rate), rate, subtype=subtype)
    out = decode(path)
    assert out.dtype == np.float32
    assert len(out) == 16000
    assert np.abs(out - tone(16000))[800:-800].max() < tolerance


def test_channels_are_averaged(tmp_path):
    channels = np.stack([tone(16000, 500), tone(16000, 800), np.zeros(16000)], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, 16000, subtype="FLOAT")
    assert np.allclose(decode(tmp_path / "a.wav"), channels.mean(1), atol=1e-6)


@pytest.mark.parametrize("rate", [47_999, 767_999, 1_009, 44_101])
def test_odd_rates_are_resampled_in_reasonable_time(rate):
    """47 999 Hz is 16 000 / 47 999: a filter of six million taps; 767 999 Hz would take 98 million."""
    seconds, hz = 0.5, 311.0
    started = time.process_time()
    out = resample(tone(rate, hz, seconds).astype(np.float32), rate)
    assert time.process_time() - started < 2
    assert len(out) in (length := math.ceil(int(rate * seconds) * 16000 / rate), length + 1, length - 1)
    expected = tone(16000, hz, 1)[: len(out)]
    assert np.abs(out - expected)[1500:-1500].max() < 2e-3  # where the rate is off by 1e-5, a phase of 0.01 at 1 s


def test_ratios_of_rates_are_exact_or_within_a_hundred_thousandth():
    for rate in [*range(1000, 50_001, 997), 8000, 11025, 22050, 44100, 48000, 88200, 96000, 192000]:
        up, down = ratio(rate)
        assert up * rate == down * 16000, rate
    for rate in range(50_001, 768_001, 1009):
        up, down = ratio(rate)
        assert max(up, down) <= 50_000
        assert abs(up * rate / (down * 16000) - 1) < 1e-5, rate


def test_sixteen_bits_at_16_khz_come_through_exactly(tmp_path):
    steps = np.random.default_rng(0).integers(-32768, 32768, 5000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", steps, 16000)
    assert np.array_equal(decode(tmp_path / "a.wav") * 32768, steps)
    assert sound(tmp_path / "a.wav").divisor == 1


@pytest.mark.parametrize(
    ("subtype", "suffix"), [("FLOAT", "wav"), ("DOUBLE", "wav"), ("FLOAT", "aiff"), ("DOUBLE", "mat")]
)
@pytest.mark.parametrize(
    ("peak", "divisor"),
    [(1.0, 1.0), (1.001, 1.001), (1.82, 1.82), (8.0, 8.0), (8.1, 32768), (7609, 32768), (32767, 32768)],
)
def test_floats_beyond_full_scale_are_divided_by_their_peak_or_by_32768(tmp_path, subtype, suffix, peak, divisor):
    wave = tone(16000, amplitude=peak)
    wave[100] = -peak
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, wave, 16000, subtype=subtype, format="MAT5" if suffix == "mat" else None)
    found = sound(path)
    assert found.divisor == pytest.approx(divisor, rel=1e-4)
    assert np.abs(found.waveform - wave / divisor).max() < 1e-4
    if found.divisor != 1:
        assert quantise(found.waveform)[1] == 0  # nothing is clipped


def test_floats_of_no_known_scale_are_refused_and_lossy_peaks_are_left(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(16000, amplitude=40_000.0), 16000, subtype="FLOAT")
    assert reason_of(tmp_path / "a.wav").reason == "out_of_range"
    loud = np.sign(tone(16000, 440))  # a square wave rings beyond full scale when it is coded with loss
    soundfile.write(tmp_path / "a.ogg", loud, 16000)
    assert decode(tmp_path / "a.ogg").max() > 1
    assert sound(tmp_path / "a.ogg").divisor == 1


def test_what_was_done_is_told(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([tone(44100)] * 3, axis=1), 44100)
    soundfile.write(tmp_path / "b.wav", tone(8000, amplitude=2), 8000, subtype="FLOAT")
    a, b = sound(tmp_path / "a.wav"), sound(tmp_path / "b.wav")
    assert (a.rate, a.channels, a.divisor) == (44100, 3, 1)
    assert (b.rate, b.channels) == (8000, 1)
    both = sound_of_parts([tmp_path / "a.wav", tmp_path / "b.wav"], "mix")
    assert (both.rate, both.channels, both.divisor) == (8000, 3, b.divisor)


def test_long_files_are_read_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr("audioprune.audio.read.BLOCK", 1000)
    samples = np.random.default_rng(0).integers(-9000, 9000, (4321, 2)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, 16000)
    assert np.array_equal(decode(tmp_path / "a.wav") * 32768, samples.astype(np.float32).mean(1))


def test_a_small_file_that_unpacks_to_hours_is_refused_before_it_fills_the_memory(tmp_path):
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 16000, 1) as file:
        for _ in range(70):
            file.write(np.zeros(1 << 20, np.float32))
    assert (tmp_path / "a.flac").stat().st_size < 400_000
    assert reason_of(tmp_path / "a.flac").reason == "too_long"


def test_missing_unreadable_and_empty(tmp_path):
    assert reason_of(tmp_path / "none.wav").reason == "missing"
    (tmp_path / "a.wav").write_bytes(b"not audio at all" * 10)
    bad = reason_of(tmp_path / "a.wav")
    assert bad.reason == "unreadable"
    assert str(tmp_path) not in bad.detail
    (tmp_path / "b.wav").write_bytes(b"")
    assert reason_of(tmp_path / "b.wav").reason == "unreadable"
    soundfile.write(tmp_path / "c.wav", np.zeros(0), 16000)
    assert reason_of(tmp_path / "c.wav").reason == "empty"
    soundfile.write(tmp_path / "d.wav", tone(16000), 16000)
    header = bytearray((tmp_path / "d.wav").read_bytes())
    header[24:28] = struct.pack("<I", 4_000_000_000)
    (tmp_path / "d.wav").write_bytes(header)
    bad = reason_of(tmp_path / "d.wav")
    assert bad.reason == "unreadable"


@pytest.mark.parametrize("value", [0.0, 0.25, 1e-6])
def test_silent_to_the_last_sample(tmp_path, value):
    soundfile.write(tmp_path / "a.wav", np.full(900, value), 44100, subtype="FLOAT")
    assert reason_of(tmp_path / "a.wav").reason == "silent"
    samples = np.full(900, value)
    samples[-1] += 0.01
    soundfile.write(tmp_path / "b.wav", samples, 44100, subtype="FLOAT")
    assert len(decode(tmp_path / "b.wav")) == 327


def test_channels_that_cancel_are_named_as_that(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([tone(16000), -tone(16000)], axis=1), 16000)
    bad = reason_of(tmp_path / "a.wav")
    assert bad.reason == "cancelling"
    assert "its 2 channels cancel" in bad.detail
    soundfile.write(tmp_path / "b.wav", np.stack([tone(16000), -0.98 * tone(16000)], axis=1), 16000)
    assert reason_of(tmp_path / "b.wav").reason == "cancelling"  # 1e-4 of the power is left
    for other in (0 * tone(16000), -0.8 * tone(16000), tone(16000, 700)):  # a half-power channel or more is left
        soundfile.write(tmp_path / "c.wav", np.stack([tone(16000), other], axis=1), 16000)
        assert len(decode(tmp_path / "c.wav")) == 16000
    soundfile.write(tmp_path / "d.wav", np.zeros((900, 2)), 16000)
    assert reason_of(tmp_path / "d.wav").reason == "silent"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path, value):
    samples = tone(16000)
    samples[77] = value
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    bad = reason_of(tmp_path / "a.wav")
    assert bad.reason == "not_finite"
    assert "1 samples" in bad.detail


@pytest.mark.parametrize("announced", [1_500_000_000, 0x7FFFEFFF, 40_000])
def test_a_lying_wav_header_allocates_nothing_and_is_reported(tmp_path, announced):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16000), 16000)
    header = bytearray(path.read_bytes())
    at = header.index(b"data") + 4
    assert struct.unpack_from("<I", header, at) == (32_000,)
    struct.pack_into("<I", header, at, announced)
    path.write_bytes(header)
    tracemalloc.start()
    bad = reason_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bad.reason == "truncated"
    assert str(announced - 32_000) in bad.detail
    assert peak < 20e6


def test_a_wav_cut_short_is_reported_and_a_piped_one_is_read(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16000), 16000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert reason_of(path).reason == "truncated"
    piped = bytearray(whole)
    struct.pack_into("<I", piped, piped.index(b"data") + 4, 0xFFFFFFFF)
    path.write_bytes(piped)
    assert len(decode(path)) == 16000


def test_a_lying_flac_header_allocates_nothing(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(16000), 16000)
    header = bytearray(path.read_bytes())
    struct.pack_into(">I", header, 22, 0xFFFFFFF0)  # total samples of the STREAMINFO block
    path.write_bytes(header)
    tracemalloc.start()
    bad = reason_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bad.reason in ("truncated", "damaged")
    assert peak < 20e6


def test_concatenated_parts(tmp_path):
    for name, hz, rate in (("a", 400, 16000), ("b", 900, 16000)):
        soundfile.write(tmp_path / f"{name}.wav", tone(rate, hz, 0.1), rate, subtype="FLOAT")
    joined = sound_of_parts([tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "a.wav"], "concatenate").waveform
    expected = np.concatenate([tone(16000, 400, 0.1), tone(16000, 900, 0.1), tone(16000, 400, 0.1)])
    assert np.allclose(joined, expected, atol=1e-6)


def test_mix_has_equal_powers_and_no_more_than_full_scale():
    quiet, loud = tone(16000, 500, amplitude=0.01), tone(16000, 2000, 0.5, amplitude=0.4)
    mixed = mix([quiet.astype(np.float32), loud.astype(np.float32)])
    assert len(mixed) == 16000
    assert mixed.dtype == np.float32
    power = (0.01**2 + 0.4**2) / 2 / 4  # mean of the parts' powers, a half of it each
    spectrum = 2 * np.abs(np.fft.rfft(mixed[:8000])) / 8000  # amplitudes, bins of 2 Hz
    assert spectrum[250] ** 2 / 2 == pytest.approx(power, rel=1e-3)
    assert spectrum[1000] ** 2 / 2 == pytest.approx(power, rel=1e-3)
    peaks = np.zeros(8, np.float32)
    peaks[3] = 0.9
    assert np.abs(mix([peaks, peaks])).max() == 1.0


def test_a_bad_part_is_named(tmp_path):
    soundfile.write(tmp_path / "good.wav", tone(16000), 16000)
    soundfile.write(tmp_path / "quiet.wav", np.zeros(100), 16000)
    with pytest.raises(BadClip, match=r"quiet\.wav") as caught:
        sound_of_parts([tmp_path / "good.wav", tmp_path / "quiet.wav"], "mix")
    assert caught.value.reason == "silent"
    with pytest.raises(ValueError, match="concatenate"):
        sound_of_parts([tmp_path / "good.wav"], "")
