"""Fresh weights, from a seed and nothing else: the same on every run, whatever was drawn before."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.init import trunc_normal_, xavier_uniform_, zeros_

STD = 0.02
HEAD_STREAM = 1 << 32  # the head's random numbers do not depend on the size of the rest


def initialise(model: nn.Module, seed: int) -> None:
    """Truncated normal of std 0.02 for linear weights, extra tokens and learned positions; biases 0, norms 1 and 0.

    The patch embedding is Xavier-uniform over its pixels, as in the released pre-training (models_mae.py).
    """
    generator = torch.Generator().manual_seed(int(seed))
    for name, parameter in model.named_parameters():
        if name in model.rules.head.values():
            continue
        if name.endswith("patch_embed.proj.weight"):
            xavier_uniform_(parameter.data.view(parameter.shape[0], -1), generator=generator)
        elif name.endswith(".bias"):
            zeros_(parameter)
        elif "norm" not in name:
            trunc_normal_(parameter, std=STD, generator=generator)
    initialise_head(model, seed)


def initialise_head(model: nn.Module, seed: int) -> None:
    """A new fine-tuning head: LayerNorm 1 and 0, truncated normal weights (AudioMAE: std 2e-5), bias 0."""
    generator = torch.Generator().manual_seed(HEAD_STREAM + int(seed))
    head = {name: model.get_parameter(key) for name, key in model.rules.head.items()}
    with torch.no_grad():
        head["norm.weight"].fill_(1)
        head["norm.bias"].zero_()
        trunc_normal_(head["head.weight"], std=model.head_std, generator=generator)
        head["head.bias"].zero_()
