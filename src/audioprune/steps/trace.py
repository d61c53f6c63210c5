"""Scores, kept patches and norms of a fine-tuned model on the test clips, or on a seeded sample of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.settings.evaluation import TraceSettings
from audioprune.sources.of_cell import facts_of, finetuned
from audioprune.steps._model import load_finetuned, model_for
from audioprune.steps._run import Job, main
from audioprune.tokens.trace import sample, trace_clips
from audioprune.training.device import prepare
from audioprune.training.splits import rows_of

KERNEL = "fused"  # as in evaluation; both kernels give the same scores


def trace(job: Job[TraceSettings]) -> dict:
    settings, trained = job.settings, finetuned(job.inputs["finetune"])
    device = prepare(trained.model.backbone)
    facts = facts_of(job.inputs["audio"])
    clips = WaveformStore.open(job.inputs["audio"]).clips
    split = rows_of(clips, folds=facts.folds, fold=trained.fold, split=trained.split)
    features, test = FeatureStore.open(job.inputs["features"]).fitted(split.train), split.test
    model = model_for(trained, facts, features.values.shape[1], pruning=settings.pruning, kernel=KERNEL)
    load_finetuned(model, job.inputs["finetune"], settings.selection)
    rows = sample(test, settings.clips, settings.sample_seed)
    arrays = trace_clips(
        model.to(device), cast(Sequence[int], rows), features.fbank, device=device, name=f"trace/{job.address}"
    )
    traced = clips.iloc[rows][["clip", "recording", "labels"]].reset_index(drop=True)
    traced["row"] = np.asarray(rows, dtype=np.int64)  # in the feature store
    with records.atomic(job.out / "clips.parquet") as path:
        traced.to_parquet(path, index=False)
    with records.atomic(job.out / "trace.npz") as path:
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    return {
        "clips": len(rows),
        "test_clips": len(test),
        "selection": settings.selection,
        "keep_rate": settings.pruning.keep_rate,
        "orientation": model.tokens.orientation,  # of the patch numbers
        "prefix_tokens": model.tokens.prefix,
        "time_patches": model.tokens.time,
        "freq_patches": model.tokens.freq,
        "patch": trained.model.patch,
        "stride": trained.model.stride,
        "score": settings.pruning.options.get("score", model.tokens.score),  # by which topk ranks here
        "kept": {
            key.removeprefix("kept_"): values.shape[1] for key, values in arrays.items() if key.startswith("kept_")
        },
    }


if __name__ == "__main__":
    main(trace)
