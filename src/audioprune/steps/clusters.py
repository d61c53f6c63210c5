"""Levels of intensity and variation of a dataset's patches, and its signal threshold, over its evaluation clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd

from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.settings import ClustersSettings
from audioprune.steps._run import Job, main
from audioprune.tokens.kmeans import Clusters, kmeans
from audioprune.tokens.patch_statistics import patch_statistics
from audioprune.tokens.pixels import Fbank, pixel_histogram, pixel_range, pixels_above
from audioprune.tokens.threshold import auto_tau, signal
from audioprune.tokens.trace import sample

PIXEL_BINS = 100  # of the stored histogram


def clusters(job: Job[ClustersSettings]) -> dict:
    settings = job.settings
    features = FeatureStore.open(job.inputs["features"])
    clips = WaveformStore.open(job.inputs["audio"]).clips
    rows = evaluation_rows(clips)
    if not len(rows):
        raise UserError(f"{settings.dataset} has no evaluation clips: its table names neither folds nor a test split")
    chosen = sample(rows, settings.sample, settings.sample_seed)
    low, high = pixel_range(cast(Sequence[int], chosen), features.fbank)
    taus = {"auto": auto_tau(low, high)} | ({} if settings.tau is None else {"given": settings.tau})
    # Which token is which patch does not matter here, so either orientation will do.
    stats = patch_statistics(
        cast(Sequence[int], rows), features.fbank, orientation="time", patch=settings.patch, stride=settings.stride
    )._asdict()
    found = {name: kmeans(values, settings.k, settings.seed) for name, values in stats.items()}
    edges = np.linspace(low, high, PIXEL_BINS + 1)
    counts = pixel_histogram(cast(Sequence[int], chosen), features.fbank, edges)
    _write(job, "clusters.csv", [row for name, own in found.items() for row in _levels(name, own)])
    _write(job, "signal.csv", _areas(rows, np.isin(rows, chosen), features.fbank, stats["mean"], taus))
    _write(job, "pixels.csv", {"low": edges[:-1], "high": edges[1:], "pixels": counts})
    _write(job, "sample.csv", {"clip": clips["clip"].to_numpy()[chosen], "row": chosen})
    return {
        "clips": len(rows),
        "patches": stats["mean"].shape[1],
        "sampled_clips": len(chosen),
        "edges": {name: list(own.edges) for name, own in found.items()},
        "shares": {name: list(own.shares) for name, own in found.items()},
        "tau": taus,
        "pixels": {"low": low, "high": high},
    }


def evaluation_rows(clips: pd.DataFrame) -> np.ndarray:
    """Rows that some run is tested on: every folded clip, or the test split."""
    fold = clips["fold"].to_numpy()
    return np.flatnonzero(fold > 0 if (fold > 0).any() else (clips["split"] == "test").to_numpy())


def _levels(name: str, own: Clusters) -> list[dict]:
    columns = zip(own.edges, own.edges[1:], own.centres, own.counts, own.shares, own.truncated, strict=False)
    return [
        {"statistic": name, "cluster": f"C{i}", "lower": low, "upper": high, "centre": centre}
        | {"patches": count, "share": share, "percent": percent}
        for i, (low, high, centre, count, share, percent) in enumerate(columns, start=1)
    ]


def _areas(rows: np.ndarray, sampled: np.ndarray, fbank: Fbank, mean: np.ndarray, taus: dict[str, float]) -> list[dict]:
    """The signal's share by pixels and by patches, of the sample and of all evaluation clips (B15)."""
    pixels = pixels_above(cast(Sequence[int], rows), fbank, list(taus.values()))  # (n, taus)
    found = []
    for i, (name, tau) in enumerate(taus.items()):
        patches = signal(mean, tau).mean(axis=1)  # (n,)
        for over, mask in (("sample", sampled), ("all", np.ones(len(rows), dtype=bool))):
            fixed = {"tau": name, "value": tau, "clips": over, "n": int(mask.sum())}
            found.append(fixed | {"unit": "pixels", "share": float(pixels[mask, i].mean())})
            found.append(fixed | {"unit": "patches", "share": float(patches[mask].mean())})
    return found


def _write(job: Job[ClustersSettings], name: str, rows: Sequence[dict] | Mapping[str, object]) -> None:
    with records.atomic(job.out / name) as path:
        pd.DataFrame(rows).to_csv(path, index=False)


if __name__ == "__main__":
    main(clusters)
