"""Test clips of an unpruned model with the tokens of two intensity clusters discarded, or as many random tokens.

`discarded.parquet` has one row for each clip, block, set and control: clip, recording, speaker, labels, block,
discarded (C1C2 or C4C5), control, tokens_left, no_patch_left, and `correct`, or the `scores` of a multi-label clip.
statistics.no_patch_left.metric_of makes numbers of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd

from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.settings.evaluation import DiscardSettings
from audioprune.settings.model import Pruning
from audioprune.sources.of_cell import facts_of, finetuned
from audioprune.steps._model import load_finetuned, model_for
from audioprune.steps._run import Job, main
from audioprune.tokens.discard import Discarded, Interval, discard_clips, intervals
from audioprune.tokens.trace import sample
from audioprune.training.device import prepare
from audioprune.training.splits import rows_of


def discard(job: Job[DiscardSettings]) -> dict:
    settings, trained = job.settings, finetuned(job.inputs["finetune"])
    if trained.pruning.method != "none":
        raise UserError(
            f"{job.address}: clusters are discarded from an unpruned model, and this one was trained with "
            f"{trained.pruning.method} at keep-rate {trained.pruning.keep_rate:g}; take the fine-tuning at keep-rate 1"
        )
    edges = records.read(job.inputs["clusters"])["results"]["edges"]["mean"][1:-1]  # between the clusters
    device = prepare(trained.model.backbone)
    facts = facts_of(job.inputs["audio"])
    clips = WaveformStore.open(job.inputs["audio"]).clips
    split = rows_of(clips, folds=facts.folds, fold=trained.fold, split=trained.split)
    dataset, test = FeatureStore.open(job.inputs["features"]), split.test
    features = dataset.fitted(split.train)
    wanted = intervals([features.convert(edge, dataset) for edge in edges])
    keep: dict[str, Interval] = {name: wanted[name] for name in wanted if name in settings.sets}
    model = model_for(trained, facts, features.values.shape[1], pruning=Pruning(), kernel=settings.kernel)
    if not set(settings.blocks) <= set(range(model.depth)):
        raise UserError(f"{job.address}: blocks {settings.blocks} are not all of 0 to {model.depth - 1}")
    load_finetuned(model, job.inputs["finetune"], settings.selection)
    rows = sample(test, settings.clips, settings.sample_seed)
    chosen = clips.iloc[rows][["clip", "recording", "speaker", "labels"]].reset_index(drop=True)
    parts = [
        _rows(chosen.iloc[one.start : one.start + len(one.left)], one, facts.metric)
        for one in discard_clips(
            model.to(device),
            cast(Sequence[int], rows),
            features.fbank,
            keep=keep,
            blocks=settings.blocks,
            control_seed=settings.control_seed,
            device=device,
            name=f"discard/{job.address}",
        )
    ]
    found = pd.concat(parts, ignore_index=True)
    found = found.sort_values(["discarded", "control", "block"], kind="stable").reset_index(drop=True)
    with records.atomic(job.out / "discarded.parquet") as path:
        found.to_parquet(path, index=False)
    return {
        "metric": facts.metric,
        "clips": len(rows),
        "test_clips": len(test),
        "selection": settings.selection,
        "edges": edges,
        "no_patch_left": int(found["no_patch_left"].sum()),
    }


def _rows(clips: pd.DataFrame, one: Discarded, metric: str) -> pd.DataFrame:
    found = clips.assign(
        block=np.int16(one.block),
        discarded=one.discarded,
        control=one.control,
        tokens_left=one.left.astype(np.int16),
        no_patch_left=one.left == 0,
    )
    if metric != "top1":
        return found.assign(scores=list(one.scores))
    best = one.scores.argmax(axis=1)
    return found.assign(correct=[int(b) in set(map(int, own)) for b, own in zip(best, clips["labels"], strict=True)])


if __name__ == "__main__":
    main(discard)
