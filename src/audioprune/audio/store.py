"""The waveform store: all clips of a dataset, one after another, in one memory-mapped file, and a table of the clips.

`waveforms.npy`: 1-D int16, 16 kHz mono. `clips.parquet`: one row a clip, see `SCHEMA`.
# ASSUME: 16 bits are enough. The reference keeps floats; sources are 16-bit or lossy, and rounding adds noise at
-101 dB of full scale. Sixteen-bit files at 16 kHz are stored bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from audioprune import records

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

SCALE = 32768  # int16 steps in a waveform value of 1

SCHEMA = pa.schema(
    [
        ("clip", pa.string()),  # unique in the dataset, stable across machines
        ("offset", pa.int64()),  # first sample in waveforms.npy
        ("length", pa.int64()),  # samples
        ("labels", pa.list_(pa.int32())),
        ("fold", pa.int64()),  # 1..F the fold in which it is tested, 0 when not folded
        ("split", pa.string()),  # train, val, test, or empty when folded
        ("recording", pa.string()),  # clips of one recording are not independent
        ("speaker", pa.string()),
        ("transcript", pa.string()),
        ("extents", pa.string()),  # JSON: list of [start s, end s, low Hz, high Hz] of known signal
        ("rate", pa.int32()),  # Hz, of the file it was decoded from, the lowest of several; 0 where the project made it
        ("channels", pa.int32()),  # of that file, the most of several; 0 alike
        ("divisor", pa.float64()),  # of its samples, which passed full scale; 1 where they did not
        ("clipped", pa.int64()),  # samples beyond full scale, cut to it
    ]
)
DEFAULTS: dict[str, Any] = {
    "labels": (),
    "fold": 0,
    "split": "",
    "recording": "",
    "speaker": "",
    "transcript": "",
    "extents": "[]",
    "rate": 0,
    "channels": 0,
    "divisor": 1.0,
}


@dataclass(frozen=True)
class Written:
    """What `write_store` wrote."""

    clips: int
    samples: int
    clipped: int  # samples beyond full scale, cut to it


def quantise(waveform: np.ndarray) -> tuple[np.ndarray, int]:
    """(L,) float in [-1, 1) -> (L,) int16 by rounding, and how many samples had to be cut to full scale."""
    steps = np.rint(np.asarray(waveform, dtype=np.float64) * SCALE)
    beyond = int(np.count_nonzero((steps < -SCALE) | (steps > SCALE - 1)))
    return steps.clip(-SCALE, SCALE - 1).astype("<i2"), beyond


def write_store(folder: Path, clips: Iterable[tuple[dict, np.ndarray]]) -> Written:
    """Write (row, (L,) float32 waveform) pairs to `folder` one by one; never more than one clip is held.

    A row has `clip` and any of the table's other columns but offset, length and clipped; `extents` may be a list or
    JSON text.
    Raises ValueError for an unknown column, a clip named twice or an empty waveform.
    """
    rows: list[dict] = []
    names: set[str] = set()
    total = clipped = 0
    with records.atomic(folder / "waveforms.npy") as path, open(path, "wb") as file:
        file.write(_header(0))
        for row, waveform in clips:
            if row["clip"] in names:
                raise ValueError(f"two clips are named {row['clip']!r}")
            if not len(waveform):
                raise ValueError(f"clip {row['clip']!r} has no samples")
            samples, beyond = quantise(waveform)
            file.write(samples.tobytes())
            names.add(row["clip"])
            rows.append(_row(row, total, len(samples), beyond))
            total, clipped = total + len(samples), clipped + beyond
        file.seek(0)
        file.write(_header(total))
    with records.atomic(folder / "clips.parquet") as path:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return Written(len(rows), total, clipped)


@dataclass(frozen=True, eq=False)
class WaveformStore:
    """An opened store; `samples` stays on disk until it is asked for."""

    clips: pd.DataFrame  # one row a clip, in the order of the file
    samples: np.ndarray  # (all samples,) int16, memory-mapped
    device: str = "cpu"  # where `batch` gives its waveforms; on a GPU the samples are copied there once

    @classmethod
    def open(cls, folder: Path, device: str = "cpu") -> WaveformStore:
        """Open `folder`; raises FileNotFoundError, or ValueError when the two files do not fit together."""
        clips = pq.read_table(Path(folder) / "clips.parquet").to_pandas()
        samples = np.load(Path(folder) / "waveforms.npy", mmap_mode="c")  # private: torch wants it writable
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise ValueError(f"{folder}/waveforms.npy holds {samples.dtype} {samples.shape}, not a row of int16")
        if len(clips) and int((clips["offset"] + clips["length"]).max()) > len(samples):
            raise ValueError(f"{folder}/waveforms.npy ends before the last clip of clips.parquet does")
        return cls(clips, samples, device)

    def __len__(self) -> int:
        return len(self.clips)

    def waveform(self, i: int) -> np.ndarray:
        """(L,) float32 in [-1, 1) of row i."""
        start = self._offset[i]
        return self.samples[start : start + self._length[i]].astype(np.float32) / SCALE

    def batch(self, indices: Sequence[int] | np.ndarray) -> tuple[Tensor, Tensor]:
        """Waveforms of some rows, zero-padded to the longest: (B, Lmax) float32 and their lengths (B,) int64."""
        import torch

        indices = np.asarray(indices)
        lengths = self._length[indices]
        out = torch.zeros(len(indices), int(lengths.max(initial=0)), device=self.device)
        for row, (start, length) in enumerate(zip(self._offset[indices], lengths, strict=True)):
            out[row, :length] = self._resident[start : start + length]
        return out.div_(SCALE), torch.from_numpy(lengths.astype(np.int64)).to(self.device)

    @cached_property
    def _offset(self) -> np.ndarray:
        return self.clips["offset"].to_numpy()

    @cached_property
    def _length(self) -> np.ndarray:
        return self.clips["length"].to_numpy()

    @cached_property
    def _resident(self) -> Tensor:
        import torch

        return torch.from_numpy(self.samples).to(self.device)


def _row(row: dict, offset: int, length: int, clipped: int) -> dict:
    known = {"clip", *DEFAULTS}
    if unknown := set(row) - known:
        raise ValueError(f"clip {row.get('clip')!r} has columns that a store does not: {', '.join(sorted(unknown))}")
    full = DEFAULTS | row
    if not isinstance(full["extents"], str):
        full["extents"] = json.dumps([list(map(float, extent)) for extent in full["extents"]], separators=(",", ":"))
    counted = {"offset": offset, "length": length, "clipped": clipped}
    return full | counted | {"labels": [int(label) for label in full["labels"]]}


def _header(samples: int) -> bytes:
    """The first 128 bytes of a .npy file (format 1.0) of that many int16: as long whatever the number."""
    words = f"{{'descr': '<i2', 'fortran_order': False, 'shape': ({samples},), }}"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + f"{words:<117}\n".encode("latin-1")
