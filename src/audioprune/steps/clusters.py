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
from audioprune.facts.tokens import grid
from audioprune.settings.evaluation import ClustersSettings
from audioprune.steps._run import Job, main
from audioprune.tokens.kinds import padding, shares
from audioprune.tokens.kmeans import Clusters, kmeans, label
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
    time, freq = grid(features.values.shape[1], settings.patch, settings.stride)
    behind = padding(features.frames[rows], orientation="time", time=time, freq=freq, stride=settings.stride)  # (n, P)
    levels = [row for name, own in found.items() for row in _levels(name, own, stats[name][behind])]
    _write(job, "clusters.csv", levels)
    _write(job, "signal.csv", _areas(rows, np.isin(rows, chosen), features.fbank, stats["mean"], behind, taus))
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


def _levels(name: str, own: Clusters, behind: np.ndarray) -> list[dict]:
    """A row for each cluster; `behind`: values of the patches that are padding."""
    padded = np.bincount(label(behind, own.edges), minlength=len(own.centres))
    columns = zip(own.edges, own.edges[1:], own.centres, own.counts, own.shares, own.truncated, padded, strict=False)
    return [
        {"statistic": name, "cluster": f"C{i}", "lower": low, "upper": high, "centre": centre}
        | {"patches": count, "share": share, "percent": percent, "padding": int(inside)}
        for i, (low, high, centre, count, share, percent, inside) in enumerate(columns, start=1)
    ]


def _areas(
    rows: np.ndarray, sampled: np.ndarray, fbank: Fbank, mean: np.ndarray, behind: np.ndarray, taus: dict[str, float]
) -> list[dict]:
    """The signal's share by pixels and by patches, of the sample and of all evaluation clips (B15), and that of the
    other kinds of patches; mean, behind (is it padding) (n, P)."""
    pixels = pixels_above(cast(Sequence[int], rows), fbank, list(taus.values()))  # (n, taus)
    found = []
    for i, (name, tau) in enumerate(taus.items()):
        bright = signal(mean, tau) & ~behind  # (n, P)
        for over, mask in (("sample", sampled), ("all", np.ones(len(rows), dtype=bool))):
            fixed = {"tau": name, "value": tau, "clips": over, "n": int(mask.sum())}
            found.append(fixed | {"unit": "pixels", "share": float(pixels[mask, i].mean())})
            kinds = shares(bright[mask], behind[mask])
            units = {"patches": kinds["signal"], "background": kinds["background"], "padding": kinds["padding"]}
            found += [fixed | {"unit": unit, "share": share} for unit, share in units.items()]
    return found


def _write(job: Job[ClustersSettings], name: str, rows: Sequence[dict] | Mapping[str, object]) -> None:
    with records.atomic(job.out / name) as path:
        pd.DataFrame(rows).to_csv(path, index=False)


if __name__ == "__main__":
    main(clusters)
