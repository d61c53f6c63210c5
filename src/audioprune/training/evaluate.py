"""Scores of clips by a trained model: float32, deterministic, in batches of equal length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from audioprune.audio.features import FeatureStore
from audioprune.progress import Progress
from audioprune.training.device import autocast


@torch.inference_mode()
def predict(
    model: nn.Module,
    features: FeatureStore,
    rows: Sequence[int] | np.ndarray,
    *,
    device: torch.device,
    batch_size: int = 64,
    precision: str = "fp32",
    name: str = "",
) -> np.ndarray:
    """Logits (len(rows), C) float32 of the store's rows, in their order. The model's mode is put back."""
    training = model.training
    model.eval()
    progress = Progress(name, len(rows)) if name else None
    found = []
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        with autocast(device, precision):
            logits = model(features.fbank(batch).to(device))  # (B, C)
        found.append(logits.float().cpu().numpy())
        if progress:
            progress.add(len(batch))
    model.train(training)
    return np.concatenate(found)
