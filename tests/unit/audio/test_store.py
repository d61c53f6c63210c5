"""The waveform store: what is written comes back, and what does not fit is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.audio.store import WaveformStore, quantise, write_store


def clips(*lengths: int):
    rng = np.random.default_rng(0)
    for i, length in enumerate(lengths):
        steps = rng.integers(-32768, 32768, length)
        yield {"clip": f"c{i}", "labels": (i, 7)}, (steps / 32768).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=8))
def test_round_trip_is_exact_to_16_bits(tmp_path_factory, lengths):
    folder = tmp_path_factory.mktemp("store")
    written = write_store(folder, clips(*lengths))
    assert (written.clips, written.samples, written.clipped) == (len(lengths), sum(lengths), 0)
    store = WaveformStore.open(folder)
    assert store.clips["length"].tolist() == lengths
    assert store.clips["offset"].tolist() == [sum(lengths[:i]) for i in range(len(lengths))]
    for i, (row, waveform) in enumerate(clips(*lengths)):
        assert np.array_equal(store.waveform(i), waveform)
        assert store.waveform(i).dtype == np.float32
        assert list(store.clips["labels"][i]) == list(row["labels"])


def test_plain_numpy_reads_the_file(tmp_path):
    write_store(tmp_path, clips(3, 4))
    samples = np.load(tmp_path / "waveforms.npy")
    assert samples.dtype == np.int16
    assert samples.shape == (7,)
    assert (tmp_path / "waveforms.npy").stat().st_size == 128 + 14


def test_batches_are_zero_padded(tmp_path):
    write_store(tmp_path, clips(5, 3, 9))
    store = WaveformStore.open(tmp_path)
    waveforms, lengths = store.batch([2, 1])
    assert waveforms.shape == (2, 9)
    assert waveforms.dtype == torch.float32
    assert lengths.tolist() == [9, 3]
    assert lengths.dtype == torch.int64
    assert np.array_equal(waveforms[0].numpy(), store.waveform(2))
    assert np.array_equal(waveforms[1, :3].numpy(), store.waveform(1))
    assert (waveforms[1, 3:] == 0).all()


def test_reading_writes_nothing_back(tmp_path):
    write_store(tmp_path, clips(50, 20))
    before = (tmp_path / "waveforms.npy").read_bytes()
    store = WaveformStore.open(tmp_path)
    store.batch([0, 1])[0].zero_()
    store.waveform(0)[:] = 0
    assert (tmp_path / "waveforms.npy").read_bytes() == before
    assert len(store) == 2


def test_rounding_and_clipping():
    steps, beyond = quantise(np.array([0.0, 1.5 / 32768, 2.5 / 32768, -1.0, 0.99999, 1.0, 1.7, -1.2]))
    assert steps.tolist() == [0, 2, 2, -32768, 32767, 32767, 32767, -32768]
    assert steps.dtype == np.int16
    assert beyond == 4


def test_columns_defaults_and_extents(tmp_path):
    row = {
        "rate": 8000, "channels": 2, "divisor": 1.5,
        "clip": "a", "labels": [1, 2], "fold": 3, "split": "", "recording": "r", "speaker": "s", "transcript": "t",
        "extents": ((0.0, 1.0, 20.0, 500.5),),
    }  # fmt: skip
    write_store(tmp_path, [(row, np.ones(2, np.float32) / 2), ({"clip": "b"}, np.zeros(1, np.float32))])
    table = WaveformStore.open(tmp_path).clips
    assert table.columns.tolist() == [
        "clip", "offset", "length", "labels", "fold", "split", "recording", "speaker", "transcript", "extents",
        "rate", "channels", "divisor", "clipped",
    ]  # fmt: skip
    first, second = table.to_dict("records")
    assert first | {"labels": 0} == row | {
        "offset": 0,
        "length": 2,
        "clipped": 0,
        "labels": 0,
        "extents": "[[0.0,1.0,20.0,500.5]]",
    }
    assert first["labels"].dtype == np.int32
    assert (second["fold"], second["split"], second["extents"], len(second["labels"])) == (0, "", "[]", 0)
    assert (second["rate"], second["channels"], second["divisor"]) == (0, 0, 1)


def test_same_clips_same_bytes(tmp_path):
    def digests(folder: Path) -> list[str]:
        write_store(folder, clips(100, 7))
        return [hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())]

    assert digests(tmp_path / "a") == digests(tmp_path / "b")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"clip": "a"}, {"clip": "a"}], "two clips are named 'a'"),
        ([{"clip": "a", "label": 1}], "label"),
    ],
)
def test_bad_rows_are_refused_and_leave_nothing(tmp_path, rows, message):
    with pytest.raises(ValueError, match=message):
        write_store(tmp_path, [(row, np.zeros(3, np.float32)) for row in rows])
    assert list(tmp_path.iterdir()) == []


def test_an_empty_waveform_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no samples"):
        write_store(tmp_path, [({"clip": "a"}, np.zeros(0, np.float32))])


def test_clips_are_taken_one_by_one(tmp_path):
    """A clip is on disk before the next one is asked for."""
    sizes = []

    def lazily():
        for i in range(3):
            yield {"clip": str(i)}, np.zeros(200_000, np.float32)
            (part,) = tmp_path.glob(".waveforms.npy*")
            sizes.append(part.stat().st_size)

    write_store(tmp_path, lazily())
    assert all(size > 390_000 * (i + 1) for i, size in enumerate(sizes))
    assert len(sizes) == 3


def test_files_that_do_not_fit_together_are_refused(tmp_path):
    write_store(tmp_path, clips(10, 10))
    np.save(tmp_path / "waveforms.npy", np.zeros(15, np.int16))
    with pytest.raises(ValueError, match="ends before"):
        WaveformStore.open(tmp_path)
    np.save(tmp_path / "waveforms.npy", np.zeros(20, np.float32))
    with pytest.raises(ValueError, match="float32"):
        WaveformStore.open(tmp_path)


def test_samples_beyond_full_scale_are_counted_clip_by_clip(tmp_path):
    loud = np.array([0.5, 1.5, -3.0], np.float32)
    assert write_store(tmp_path, [({"clip": "a"}, loud / 4), ({"clip": "b"}, loud)]).clipped == 2
    assert WaveformStore.open(tmp_path).clips["clipped"].tolist() == [0, 2]
