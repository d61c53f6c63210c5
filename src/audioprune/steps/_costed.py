"""The model whose cost is counted or timed."""

from __future__ import annotations

from audioprune.models.build import build_model
from audioprune.models.family import Classifier
from audioprune.settings.costs import MacsSettings, ThroughputSettings


def lowest(settings: MacsSettings | ThroughputSettings, *, kernel: str) -> Classifier:
    """A fresh model whose cost is asked, at the lowest of its keep-rates."""
    return build_model(
        settings.model.backbone,
        frames=settings.frames,
        num_classes=settings.num_classes,
        method=settings.method,
        keep_rate=min(settings.keep_rates),
        blocks=settings.blocks,
        options=settings.options,
        patch=settings.model.patch,
        stride=settings.model.stride,
        kernel=kernel,
    )
