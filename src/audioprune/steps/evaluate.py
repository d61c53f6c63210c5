"""Scores of every test clip by a fine-tuned model with the evaluation's own pruning; metrics are computed from them."""

from __future__ import annotations

import pandas as pd

from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.models.perturb import perturb
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.sources.of_cell import facts_of, finetuned
from audioprune.statistics.metrics import metric_of
from audioprune.steps._model import load_finetuned, model_for
from audioprune.steps._run import Job, main
from audioprune.training.device import prepare
from audioprune.training.evaluate import predict
from audioprune.training.splits import rows_of


def evaluate(job: Job[EvaluateSettings]) -> dict:
    settings, trained = job.settings, finetuned(job.inputs["finetune"])
    device = prepare(trained.model.backbone)
    facts = facts_of(job.inputs["audio"])
    clips = WaveformStore.open(job.inputs["audio"]).clips
    split = rows_of(clips, folds=facts.folds, fold=trained.fold, split=trained.split)
    dataset, rows = FeatureStore.open(job.inputs["features"]), split.test
    features = dataset.fitted(split.train)
    model = model_for(
        trained,
        facts,
        features.values.shape[1],
        pruning=settings.pruning,
        kernel=settings.kernel,
    )
    tau = _tau(job)
    own = None if tau is None else features.convert(tau, dataset)
    perturb(model.pruning.pruner, settings.perturbation, own, seed=settings.shuffle_seed)
    load_finetuned(model, job.inputs["finetune"], settings.selection)
    scores = predict(
        model.to(device),
        features,
        rows,
        device=device,
        precision=settings.precision,
        name=f"evaluate/{job.address}",
    )
    predictions = clips.iloc[rows][["clip", "recording", "speaker", "labels"]].reset_index(drop=True)
    predictions["scores"] = pd.Series(list(scores))  # float32 logits
    with records.atomic(job.out / "predictions.parquet") as path:
        predictions.to_parquet(path, index=False)
    return {
        "metric": facts.metric,
        "value": metric_of(predictions, facts.metric),
        "n": len(rows),
        "selection": settings.selection,
        "keep_rate": settings.pruning.keep_rate,
    }


def _tau(job: Job[EvaluateSettings]) -> float | None:
    """The dataset's own threshold, or the one that its clusters cell read off the pixels."""
    if job.settings.tau is not None or "clusters" not in job.inputs:
        return job.settings.tau
    return records.read(job.inputs["clusters"])["results"]["tau"]["auto"]


if __name__ == "__main__":
    main(evaluate)
