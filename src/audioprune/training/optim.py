"""Parameter groups and optimisers: AdamW with layer-wise decay, and AST's Adam."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import nn

from audioprune.settings.training import Recipe


def layer_scale(layer: int, depth: int, decay: float) -> float:
    """Learning-rate factor of layer 0 (embeddings) .. depth + 1 (head): decay ** (depth + 1 - layer)."""
    return decay ** (depth + 1 - layer)


def parameter_groups(
    model: nn.Module,
    layer_of: Callable[[str], int],
    undecayed: Collection[str],
    *,
    weight_decay: float,
    layer_decay: float,
    depth: int,
) -> list[dict]:
    """One group for each (layer, decayed or not), each with its `lr_scale`, in a fixed order.

    Parameters of one dimension and those named in `undecayed` (prefix tokens, position embeddings) get no weight decay
    (released code: param_groups_lrd in lr_decay.py).
    """
    found: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decayed = parameter.ndim > 1 and name not in undecayed
            found.setdefault((layer_of(name), decayed), []).append(parameter)
    return [
        {
            "params": found[layer, decayed],
            "weight_decay": weight_decay if decayed else 0.0,
            "lr_scale": layer_scale(layer, depth, layer_decay),
        }
        for layer, decayed in sorted(found)
    ]


def build_optimizer(
    model: nn.Module, recipe: Recipe, layer_of: Callable[[str], int], undecayed: Collection[str], depth: int
) -> torch.optim.Optimizer:
    """AdamW with decoupled decay, or Adam with its L2 term on every parameter alike, as AST's training does."""
    if recipe.optimizer == "adam":
        groups: list[dict] = [{"params": [p for p in model.parameters() if p.requires_grad], "lr_scale": 1.0}]
        kind: type[torch.optim.Adam] | type[torch.optim.AdamW] = torch.optim.Adam
    else:
        groups = parameter_groups(
            model, layer_of, undecayed, weight_decay=recipe.weight_decay, layer_decay=recipe.layer_decay, depth=depth
        )
        kind = torch.optim.AdamW
    # The loop sets the learning rate before every step (`set_learning_rate`).
    return kind(groups, lr=0.0, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_scale"]
