"""Parameter groups: layer-wise rates, what is never decayed, and what the two optimisers do with decay."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audioprune.settings.training import Recipe
from audioprune.training.optim import build_optimizer, layer_scale, parameter_groups, set_learning_rate


class Tiny(nn.Module):
    """Names as in a ViT with 12 blocks, only two of them there."""

    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.ones(1, 1, 4))
        self.pos_embed = nn.Parameter(torch.ones(1, 3, 4))
        self.frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)
        self.patch_embed = nn.Linear(4, 4)
        self.blocks = nn.ModuleDict({"0": nn.Linear(4, 4), "11": nn.Linear(4, 4)})
        self.head = nn.Linear(4, 2)


UNDECAYED = {"cls_token", "pos_embed"}


def layer_of(name: str) -> int:
    if name.startswith("blocks."):
        return int(name.split(".")[1]) + 1
    return 13 if name.startswith("head") else 0


def test_groups_cover_every_parameter_once_with_the_layer_s_rate():
    model = Tiny()
    groups = parameter_groups(model, layer_of, UNDECAYED, weight_decay=1e-4, layer_decay=0.75, depth=12)
    names = {id(p): name for name, p in model.named_parameters()}
    found = {names[id(p)]: (g["lr_scale"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert sum(len(g["params"]) for g in groups) == len(found)
    assert found == {
        "cls_token": (0.75**13, 0.0),
        "pos_embed": (0.75**13, 0.0),
        "patch_embed.weight": (0.75**13, 1e-4),
        "patch_embed.bias": (0.75**13, 0.0),
        "blocks.0.weight": (0.75**12, 1e-4),
        "blocks.0.bias": (0.75**12, 0.0),
        "blocks.11.weight": (0.75, 1e-4),
        "blocks.11.bias": (0.75, 0.0),
        "head.weight": (1.0, 1e-4),
        "head.bias": (1.0, 0.0),
    }
    assert layer_scale(13, 12, 0.75) == 1


def test_set_learning_rate_scales_every_group():
    model = Tiny()
    optimizer = build_optimizer(model, Recipe(epochs=1, batch_size=1, layer_decay=0.5), layer_of, UNDECAYED, 12)
    set_learning_rate(optimizer, 2.0)
    assert {g["lr"] for g in optimizer.param_groups} == {2 * 0.5**13, 2 * 0.5**12, 2 * 0.5, 2.0}


@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_decay_is_decoupled_in_adamw_and_l2_in_adam(optimizer):
    model = Tiny()
    recipe = Recipe(
        epochs=1, batch_size=1, optimizer=optimizer, weight_decay=0.1, layer_decay=1, betas=(0.95, 0.999), base_lr=0.01
    )
    made = build_optimizer(model, recipe, layer_of, UNDECAYED, 12)
    before = model.head.weight.detach().clone(), model.head.bias.detach().clone()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    set_learning_rate(made, 0.01)
    made.step()
    weight, bias = model.head.weight.detach(), model.head.bias.detach()
    if optimizer == "adamw":
        torch.testing.assert_close(weight, before[0] * (1 - 0.01 * 0.1))
        assert torch.equal(bias, before[1])
    else:  # the L2 gradient g alone, normalised by Adam's first step: lr g / (|g| + eps), on every parameter
        for after, start in zip((weight, bias), before, strict=True):
            g = 0.1 * start
            torch.testing.assert_close(after, start - 0.01 * g / (g.abs() + 1e-8), atol=1e-7, rtol=0)
    assert torch.equal(model.frozen, torch.ones(2, 2))
