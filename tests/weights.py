"""Checkpoints that look like official ones."""

from __future__ import annotations

from pathlib import Path

import torch

from audioprune import registry
from audioprune.models.build import build_model


def weights(path: Path, backbone: str = "audiomae-b", value: float = 0.0, stride: int = 16, **changed) -> Path:
    """A checkpoint of a backbone's shape whose weights are all `value`, each stored as that one number: a small file.

    changed: other shapes, by name.
    """
    family = registry.backbone(backbone).family.name
    model = build_model(f"{family}-tiny", frames=1024, num_classes=2, stride=stride)
    head = set(model.rules.head.values()) if family == "audiomae" else set()
    wide = {64: 768, 3 * 64: 3 * 768, 4 * 64: 4 * 768}  # as many blocks as ViT-B has, so all that differs
    shapes = {
        name: tuple(wide.get(n, n) for n in one.shape) for name, one in model.state_dict().items() if name not in head
    } | changed
    torch.save({"model": {name: torch.full((1,), value).expand(shape) for name, shape in shapes.items()}}, path)
    return path
