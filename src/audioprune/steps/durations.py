"""Test clips by a fine-tuned model with the evaluation's own pruning: padded to its length, and without padding.

`durations.parquet` has one row for each clip, length and mode: clip, recording, speaker, labels, seconds (that it was
cut to; 0: as long as it is), mode, frames (of its sound, at most the model's), patches and macs of its forward pass,
scores; and, with one value for each selecting block where whole tokens are kept, left (patches) and padding_left (those
that are pure padding); padding is the number of these in the input.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from audioprune import records
from audioprune.audio.cuts import cut
from audioprune.audio.fbank import log_mel
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.facts.lengths import columns_of
from audioprune.facts.mel import MEL_BINS
from audioprune.facts.tokens import PATCH
from audioprune.profiling.macs import count
from audioprune.progress import Progress
from audioprune.settings.lengths import DurationsSettings
from audioprune.sources.of_cell import facts_of, finetuned
from audioprune.steps._model import load_finetuned, model_for
from audioprune.steps._run import Job, main
from audioprune.tokens.lengths import Heard, Spectrograms, hear
from audioprune.training.device import prepare
from audioprune.training.splits import rows_of

BINS = MEL_BINS // PATCH  # patches of a column


def durations(job: Job[DurationsSettings]) -> dict:
    settings, trained = job.settings, finetuned(job.inputs["finetune"])
    device = prepare(trained.model.backbone)
    facts = facts_of(job.inputs["audio"])
    if "native" in settings.modes and (trained.model.patch, trained.model.stride) != (PATCH, PATCH):
        raise UserError(
            f"{job.address}: a native length is whole columns of {PATCH} frames, and this model's patches are "
            f"{trained.model.patch} wide, {trained.model.stride} apart"
        )
    store = WaveformStore.open(job.inputs["audio"])
    split = rows_of(store.clips, folds=facts.folds, fold=trained.fold, split=trained.split)
    features = FeatureStore.open(job.inputs["features"]).fitted(split.train)
    frames = int(features.values.shape[1])
    model = model_for(trained, facts, frames, pruning=settings.pruning, kernel=settings.kernel)
    load_finetuned(model, job.inputs["finetune"], settings.selection)
    model.to(device)
    chosen = store.clips.iloc[split.test][["clip", "recording", "speaker", "labels"]].reset_index(drop=True)
    macs = _macs_of(trained.model.backbone, settings, facts.num_classes)
    progress = Progress(
        f"durations/{job.address}", len(split.test) * max(1, len(settings.seconds)) * len(settings.modes)
    )
    parts = []
    for seconds in settings.seconds or (0.0,):
        natural, fbank = _clips(store, features, split.test, seconds, settings.seed)
        natural = np.minimum(natural, frames)
        columns = np.array([columns_of(int(one)) for one in natural])
        for one in hear(model, columns, fbank, modes=settings.modes, device=device):
            about = {"seconds": seconds, "frames": natural[one.clips].astype(np.int32)}
            parts.append(_rows(chosen, one, about, columns[one.clips], model.tokens.time, macs))
            progress.add(len(one.clips))
    found = pd.concat(parts).sort_index(kind="stable")  # by clip
    found = found.sort_values(["seconds", "mode"], kind="stable", ignore_index=True)
    with records.atomic(job.out / "durations.parquet") as path:
        found.to_parquet(path, index=False)
    return {
        "metric": facts.metric,
        "clips": len(split.test),
        "frames": frames,
        "selection": settings.selection,
        "blocks": sorted(model.pruning.blocks) if settings.pruning.keep_rate < 1 else [],
    }


def _clips(
    store: WaveformStore, features: FeatureStore, rows: np.ndarray, seconds: float, seed: int
) -> tuple[np.ndarray, Spectrograms]:
    """(n,) frames of sound of the test clips, and their spectrograms: those of the features, or of cut waveforms."""
    if not seconds:
        return features.frames[rows], lambda clips: features.fbank(rows[clips])
    names = store.clips["clip"].to_numpy()
    x, natural = [], []
    for row in rows:
        part = torch.from_numpy(cut(store.waveform(int(row)), seconds, str(names[row]), seed))[None]
        one, own = log_mel(part, None, int(features.values.shape[1]))
        x.append(one)
        natural.append(int(own))
    every: Tensor = features.normalise(torch.cat(x))
    return np.array(natural), lambda clips: every[clips]


def _macs_of(backbone: str, own: DurationsSettings, classes: int) -> Callable[[int], int]:
    """Columns -> MACs of a clip of so many, by the closed form."""
    pruning = own.pruning

    @cache
    def macs(columns: int) -> int:
        return count(
            backbone, frames=PATCH * columns, num_classes=classes, method=pruning.method, keep_rate=pruning.keep_rate,
            blocks=pruning.blocks, options=pruning.options,
        ).total  # fmt: skip

    return macs


def _rows(
    clips: pd.DataFrame, one: Heard, about: dict, columns: np.ndarray, whole: int, macs: Callable[[int], int]
) -> pd.DataFrame:
    heard = columns if one.mode == "native" else np.full(len(columns), whole)
    return clips.iloc[one.clips].assign(
        **about,
        mode=one.mode,
        patches=(BINS * heard).astype(np.int16),
        padding=(BINS * (heard - columns)).astype(np.int16),
        macs=[macs(int(c)) for c in heard],
        scores=[*one.scores],
        left=[*one.left],
        padding_left=[*one.padding],
    )


if __name__ == "__main__":
    main(durations)
