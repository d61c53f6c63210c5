"""Features of a dataset: the log-mel spectrogram of every clip, and the statistics to normalise it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audioprune import records
from audioprune.audio.features import mean_std, write_features
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.settings.data import FeaturesSettings
from audioprune.steps._run import Job, main

if TYPE_CHECKING:
    import pandas as pd


def features(job: Job[FeaturesSettings]) -> dict:
    settings = job.settings
    if (settings.mean is None) != (settings.std is None):
        raise UserError(f"{settings.dataset}: give both mean and std of its fbank, or neither")
    store = WaveformStore.open(job.inputs["audio"])
    moments = write_features(job.out, store, settings.frames)
    training = training_rows(store.clips)
    measured = mean_std(moments, training)
    mean, std = measured if settings.mean is None else (settings.mean, settings.std)
    records.write_json(job.out / "stats.json", {"mean": mean, "std": std})
    if settings.mean is None:
        with records.atomic(job.out / "moments.npy") as path:
            np.save(path, moments)
    natural = np.load(job.out / "frames.npy")
    return {
        "clips": len(store),
        "frames": settings.frames,
        "mean": mean,
        "std": std,
        "measured_mean": measured[0],  # over the training clips, whether or not it is what normalises
        "measured_std": measured[1],
        "training_clips": len(training),
        "padded_clips": int((natural < settings.frames).sum()),
        "cut_clips": int((natural > settings.frames).sum()),
        "cut_share": float(np.maximum(0, natural - settings.frames).sum() / natural.sum()),
        "padded_share": float(np.maximum(0, settings.frames - natural).mean() / settings.frames),
    }


def training_rows(clips: pd.DataFrame) -> np.ndarray:
    """Rows of the dataset's own statistics: the training split; every clip where there are folds or no such split.

    Models never see these of a folded dataset: theirs are of their own training clips (FeatureStore.fitted).
    """
    training = (clips["split"] == "train").to_numpy()
    folded = bool((clips["fold"] > 0).any())
    return np.flatnonzero(training) if training.any() and not folded else np.arange(len(clips))


if __name__ == "__main__":
    main(features)
