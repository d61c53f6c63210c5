"""AST: a DeiT with class and distillation tokens, trained with labels.

Letters: B clips, T frames, P = 8 * (T / 16) patches, C = 256 pixels of a patch, D width, e = 2 prefix tokens.
Tokens are frequency-major: token i is the patch (frequency i // (T / 16), time i % (T / 16)). Position embeddings are
learned; shorter inputs use the middle columns of the table for 1024 frames. After the final norm the tokens are pooled
and classified by Linear(LayerNorm(.)). Weight names are the official ones: `v.*` and `mlp_head.*`.
Sources: Gong et al. 2021; P0 section 3; released code, ast_models.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from audioprune.audio.patches import patchify
from audioprune.facts.checks import check_keep_rate
from audioprune.facts.tokens import FULL_FRAMES, PATCH, Tokens, grid
from audioprune.models import family, position, vit
from audioprune.models.pruner import Pruning, Survivors

RULES = family.Rules(
    head={
        "norm.weight": "mlp_head.0.weight",
        "norm.bias": "mlp_head.0.bias",
        "head.weight": "mlp_head.1.weight",
        "head.bias": "mlp_head.1.bias",
    },
    dropped=(r"v\.head(_dist)?\.(weight|bias)",),  # ImageNet's two heads
)
HEAD_STD = 0.02


class Transformer(nn.Module):
    """Everything before pooling: the official `v`."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        width: int,
        depth: int,
        num_heads: int,
        hidden: int,
        patch: int,
        stride: int,
        kernel: str,
        drop_path: float,
    ):
        super().__init__()
        columns, rows = grid(FULL_FRAMES, patch, stride)
        self.window = position.middle(columns, rows, tokens.time)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.dist_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 2 + rows * columns, width))
        self.patch_embed = vit.PatchEmbed(width=width, patch=patch)
        self.blocks = vit.make_blocks(
            width=width, depth=depth, num_heads=num_heads, hidden=hidden, kernel=kernel, drop_path=drop_path
        )
        self.norm = nn.LayerNorm(width, eps=vit.EPS)

    def forward(self, pixels: Tensor, keep_patches: Tensor | None, pruning: Pruning) -> tuple[Tensor, Survivors]:
        """Patches (B, P, C) -> tokens after the last block, (B, 2 + tokens left, D), and which they are."""
        x, survivors = vit.embed(
            pixels,
            keep_patches,
            patch_embed=self.patch_embed,
            prefix=torch.cat([self.cls_token, self.dist_token], dim=1) + self.pos_embed[:, :2],
            positions=self.window.of(self.pos_embed),
        )
        return vit.encode(self.blocks, x, survivors, pruning)


def prefix_mean(x: Tensor, survivors: Survivors) -> Tensor:
    """Mean of the class and distillation tokens, (B, 2 + n, D) -> (B, D)."""
    return (x[:, 0] + x[:, 1]) / 2


POOLS = {"mean": vit.mean, "prefix": prefix_mean}  # normalised tokens (B, 2 + n, D), and which they are -> (B, D)


class Model(family.Classifier):
    rules, head_std = RULES, HEAD_STD

    def __init__(
        self,
        *,
        tokens: Tokens,
        pooling: Literal["mean", "prefix"],
        frames: int,
        num_classes: int,
        width: int,
        depth: int,
        num_heads: int,
        hidden: int,
        patch: int = PATCH,
        stride: int = PATCH,
        kernel: str = "fused",
        drop_path: float = 0.0,
        pruning: Pruning | None = None,
    ):
        super().__init__()
        self.frames, self.patch, self.stride, self.depth = frames, patch, stride, depth
        self.tokens, self.pool = tokens, POOLS[pooling]
        self.v = Transformer(
            tokens=tokens,
            width=width,
            depth=depth,
            num_heads=num_heads,
            hidden=hidden,
            patch=patch,
            stride=stride,
            kernel=kernel,
            drop_path=drop_path,
        )
        self.mlp_head = nn.Sequential(nn.LayerNorm(width), vit.linear(width, num_classes))  # PyTorch's default eps
        self.pruning = pruning or Pruning()

    @property
    def blocks(self) -> Sequence[vit.Block]:
        return self.v.blocks

    @property
    def window(self) -> position.Window:
        return self.v.window

    @property
    def keep_rate(self) -> float:
        return self.pruning.keep_rate

    @keep_rate.setter
    def keep_rate(self, value: float) -> None:
        self.pruning.keep_rate = check_keep_rate(value)

    def layer_of(self, name: str) -> int:
        return family.layer_of(name, self.depth)

    def no_weight_decay(self) -> set[str]:
        return family.no_weight_decay(self)

    def pixels(self, x: Tensor) -> Tensor:
        """Patches in token order, (B, T, 128) -> (B, P, C)."""
        family.check_input(x, self.frames)
        return patchify(x.transpose(1, 2), self.patch, self.stride).flatten(1, 2)

    def encode(self, x: Tensor, keep_patches: Tensor | None = None) -> Tensor:
        """Tokens after the last block, (B, T, 128) -> (B, 2 + tokens left, D): not normalised, prefix tokens first."""
        return self.v(self.pixels(x), keep_patches, self.pruning)[0]

    def forward(self, x: Tensor, keep_patches: Tensor | None = None) -> Tensor:
        """Normalised log-mel (B, T, 128), and the patches to keep (B, M) in token order -> logits (B, classes)."""
        x, survivors = self.v(self.pixels(x), keep_patches, self.pruning)
        return self.mlp_head(self.pool(self.v.norm(x), survivors))
