"""Fine-tuning: a model with a fresh head learns one dataset, while its keep-rate falls to the target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.facts.dataset import Dataset
from audioprune.models.family import Classifier
from audioprune.settings.training import Augment, FinetuneSettings, Recipe
from audioprune.statistics.metrics import SCORED, multi_hot
from audioprune.training.batches import Batch, Batches
from audioprune.training.evaluate import predict
from audioprune.training.loop import Trained, train
from audioprune.training.optim import build_optimizer
from audioprune.training.outcome import write_outcome
from audioprune.training.resume import ResumePoint
from audioprune.training.splits import rows_of

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "ce": F.cross_entropy,
    "bce": F.binary_cross_entropy_with_logits,
}


def finetune(
    settings: FinetuneSettings,
    model: Classifier,
    *,
    facts: Dataset,
    waveforms: WaveformStore,
    features: FeatureStore,
    out: Path,
    resume: Path,
    key: str,
    device: torch.device,
    name: str = "finetune",
    save_every_s: float = 60,
) -> dict:
    """Train `model` (on `device`, weights loaded); leave last, best_test, best_val weights and history.csv in `out`.

    Returns the record's results: clips of each split, and the metric of each stored set of weights as seen in training.
    """
    rows = rows_of(waveforms.clips, folds=facts.folds, fold=settings.fold, split=settings.split)
    features = features.fitted(rows.train)
    labels = list(waveforms.clips["labels"])

    def metric(part: np.ndarray) -> float:
        scores = predict(model, features, part, device=device)
        return SCORED[facts.metric](scores, [labels[row] for row in part])

    def evaluate() -> dict[str, float]:
        parts = {"test": rows.test, "val": rows.val}
        return {split: metric(part) for split, part in parts.items() if len(part)}

    run = supervised(
        model,
        features=features,
        waveforms=waveforms,
        rows=rows.train,
        targets=multi_hot(labels, facts.num_classes),
        loss=facts.loss,
        recipe=settings.recipe,
        augment=settings.augment,
        target=settings.pruning.keep_rate,
        seed=settings.seed,
        evaluate=evaluate,
        point=ResumePoint(resume, key, save_every_s),
        device=device,
        name=name,
        mixed_by=facts.mixed_by,
    )
    heads = {"num_heads": str(model.blocks[0].attn.num_heads)} if hasattr(model, "blocks") else None
    write_outcome(out, model, run, heads)
    return {
        "clips": {split: len(part) for split, part in vars(rows).items()},
        "metric": facts.metric,
        "normalised": {"mean": features.mean, "std": features.std},
        "last": {name: run.history[-1][name] for name in ("epoch", "train_loss", "test_metric", "val_metric")},
        **{split: {"epoch": best["epoch"], facts.metric: best["metric"]} for split, best in run.best.items()},
    }


def supervised(
    model: Classifier,
    *,
    features: FeatureStore,
    waveforms: WaveformStore,
    rows: np.ndarray,
    targets: np.ndarray,
    loss: str,
    recipe: Recipe,
    augment: Augment,
    target: float,
    seed: int,
    evaluate: Callable[[], dict[str, float]] | None,
    point: ResumePoint,
    device: torch.device,
    name: str,
    mixed_by: str = "",
) -> Trained:
    """Train a classifier on labelled clips: fine-tuning, and AST's pre-training.

    `model` is one of audioprune.backbones, or has its tokens, depth, keep_rate, layer_of and no_weight_decay; targets
    (n, C) are those of all the store's clips; mixed_by as in Batches.
    """
    batches = Batches(
        features,
        waveforms,
        rows=rows,
        targets=targets,
        augment=augment,
        recipe=recipe,
        target=target,
        seed=seed,
        device=device,
        orientation=model.tokens.orientation,
        mixed_by=mixed_by,
    )
    criterion = LOSSES[loss]

    def loss_of(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
        logits = model(batch.x, keep_patches=batch.keep_patches)  # (B, C)
        return criterion(logits.float(), batch.y), len(batch.x)

    return train(
        model,
        build_optimizer(model, recipe, model.layer_of, model.no_weight_decay(), model.depth),
        recipe=recipe,
        seed=seed,
        target=target,
        steps=batches.steps,
        batch_of=batches,
        loss_of=loss_of,
        evaluate=evaluate,
        point=point,
        device=device,
        name=name,
    )
