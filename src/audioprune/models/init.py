"""Initial weights from a seed and nothing else: the same in every run, whatever was drawn before."""

from __future__ import annotations

import torch
from torch.nn.init import trunc_normal_, xavier_uniform_, zeros_

from audioprune.models.family import Classifier

STD = 0.02
HEAD_STREAM = 1 << 32  # the head's random numbers do not depend on the size of the rest


def initialise(model: Classifier, seed: int) -> None:
    """Xavier-uniform linear layers and patch embedding, as the released pre-training has them (models_mae.py); prefix
    tokens and learned positions truncated normal of std 0.02; biases 0, norms 1 and 0.

    # DIFFERS: DeiT, so AST, draws linear weights from a truncated normal of std 0.02. At ViT-B's width of 768 that is
    Xavier's spread; at the tiny width it is a quarter of it, and models trained from scratch hardly learn.
    """
    generator = torch.Generator().manual_seed(int(seed))
    for name, parameter in model.named_parameters():
        if name in model.rules.head.values():
            continue
        if name.endswith(".weight") and parameter.ndim > 1:
            xavier_uniform_(parameter.data.view(parameter.shape[0], -1), generator=generator)
        elif name.endswith(".bias"):
            zeros_(parameter)
        elif "norm" not in name:
            trunc_normal_(parameter, std=STD, generator=generator)
    initialise_head(model, seed)


def initialise_head(model: Classifier, seed: int) -> None:
    """A new fine-tuning head: LayerNorm 1 and 0, truncated normal weights (AudioMAE: std 2e-5), bias 0."""
    generator = torch.Generator().manual_seed(HEAD_STREAM + int(seed))
    head = {name: model.get_parameter(key) for name, key in model.rules.head.items()}
    with torch.no_grad():
        head["norm.weight"].fill_(1)
        head["norm.bias"].zero_()
        trunc_normal_(head["head.weight"], std=model.head_std, generator=generator)
        head["head.bias"].zero_()
