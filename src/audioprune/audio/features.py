"""The feature store: the log-mel spectrogram of every clip of a waveform store, at one length, memory-mapped.

`fbank.npy` float32 (n, T, 128), not normalised, rows as in clips.parquet; `frames.npy` int32 (n,), frames before
cutting or padding; `stats.json`, mean and std of the dataset; `moments.npy` float64 (n, 2), mean and mean square of
each clip's pixels, where the dataset has no published statistics: what a model sees is then normalised by its own
training clips (`fitted`), so that one store serves all folds and no test clip has a part in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audioprune import records
from audioprune.audio.fbank import log_mel, normalise
from audioprune.audio.ordered import in_order
from audioprune.audio.store import WaveformStore
from audioprune.facts.mel import MEL_BINS
from audioprune.progress import Progress

WORKERS = 2  # threads that compute, each with one torch thread: results do not depend on the machine's cores
BATCH_FRAMES = 8192  # target frames computed at once by one of them


@dataclass(frozen=True, eq=False)
class FeatureStore:
    """An opened store; rows stay on disk until they are asked for."""

    values: np.ndarray  # (n, T, 128) float32, memory-mapped, not normalised
    frames: np.ndarray  # (n,) int32, natural frame counts
    mean: float
    std: float
    moments: np.ndarray | None = None  # (n, 2) float64; None: mean and std are published ones

    @classmethod
    def open(cls, folder: Path) -> FeatureStore:
        """Open `folder`, normalised by the dataset's statistics: published, or of all its training clips.

        Raises FileNotFoundError.
        """
        folder = Path(folder)
        stats = json.loads((folder / "stats.json").read_text(encoding="utf-8"))
        values, frames = np.load(folder / "fbank.npy", mmap_mode="r"), np.load(folder / "frames.npy")
        moments = np.load(folder / "moments.npy") if (folder / "moments.npy").is_file() else None
        return cls(values, frames, stats["mean"], stats["std"], moments)

    def fitted(self, training: np.ndarray) -> FeatureStore:
        """The same store, normalised for a model trained on these rows: by published statistics, else by theirs."""
        if self.moments is None:
            return self
        mean, std = mean_std(self.moments, training)
        return replace(self, mean=mean, std=std)

    def convert(self, value: float, other: FeatureStore) -> float:
        """A value that `other` normalised, such as a threshold, as this store normalises it."""
        return value * (other.std / self.std) + (other.mean - self.mean) / (2 * self.std)

    def __len__(self) -> int:
        return len(self.values)

    def raw(self, indices: Sequence[int] | np.ndarray) -> Tensor:
        """Rows as stored, before normalisation: (B, T, 128) float32."""
        return torch.from_numpy(np.ascontiguousarray(self.values[np.asarray(indices)]))

    def fbank(self, indices: Sequence[int] | np.ndarray) -> Tensor:
        """Normalised rows, (x - mean) / (2 std): (B, T, 128) float32."""
        return self.normalise(self.raw(indices))

    def normalise(self, x: Tensor) -> Tensor:
        return normalise(x, self.mean, self.std)


def write_features(folder: Path, store: WaveformStore, frames: int) -> np.ndarray:
    """Write fbank.npy and frames.npy of every clip of `store` into `folder`, batch by batch, with bounded memory.

    Returns the mean and the mean square of each clip's pixels, padding included: (n, 2) float64.
    """
    n = len(store)
    rows = max(1, BATCH_FRAMES // frames)
    batches = [np.arange(start, min(start + rows, n)) for start in range(0, n, rows)]
    natural, moments = np.zeros(n, dtype=np.int32), np.zeros((n, 2))
    progress = Progress("fbank", n)

    def work(batch: np.ndarray) -> tuple[np.ndarray, Tensor, Tensor, Tensor]:
        x, count = log_mel(*store.batch(batch), frames)
        pixels = x.flatten(1).double()  # (B, T * 128)
        return batch, x, count, torch.stack([pixels.mean(1), pixels.square().mean(1)], dim=1)

    # Written, not mapped: a full disk ends a process that writes to a mapped file by a signal, without a word.
    with records.atomic(folder / "fbank.npy") as path, _pool() as pool, open(path, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (n, frames, MEL_BINS)}
        np.lib.format.write_array_header_1_0(file, header)
        for batch, x, count, moment in in_order(pool, work, batches, 2 * WORKERS):
            file.write(x.numpy().astype("<f4", copy=False).tobytes())
            natural[batch], moments[batch] = count.numpy(), moment.numpy()
            progress.add(len(batch))
    with records.atomic(folder / "frames.npy") as path:
        np.save(path, natural)
    return moments


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, initializer=torch.set_num_threads, initargs=(1,))


def mean_std(moments: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Mean and population (ddof 0) standard deviation of all pixels of some rows, from `write_features`' moments.

    # ASSUME: padded pixels count too: the published statistics are of what the model sees, and say no more.
    """
    mean, square = moments[rows].mean(axis=0)
    return float(mean), math.sqrt(max(0.0, square - mean**2))
