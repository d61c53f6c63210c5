"""What all backbones share around their blocks: token facts, checks of the input, rules for reading weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from audioprune.errors import UserError
from audioprune.facts.mel import MEL_BINS
from audioprune.facts.tokens import Tokens
from audioprune.models.position import Window

if TYPE_CHECKING:
    from audioprune.models.pruner import Pruning
    from audioprune.models.vit import Block

EMBEDDINGS = ("cls_token", "dist_token", "pos_embed", "patch_embed")
NOT_DECAYED = ("cls_token", "dist_token", "pos_embed")


@dataclass(frozen=True)
class Rules:
    """How an official checkpoint's keys meet the model's: all others must be the same on both sides.

    head     the parity names of a fine-tuning head -> the model's keys, which a checkpoint may lack
    dropped  patterns of keys that a checkpoint may have and the model has not
    """

    head: Mapping[str, str]
    dropped: tuple[str, ...]

    def drops(self, key: str) -> bool:
        return any(re.fullmatch(pattern, key) for pattern in self.dropped)


class Classifier(nn.Module):
    """A model of any family: what others may ask it for."""

    rules: Rules
    head_std: float
    depth: int
    tokens: Tokens
    pruning: Pruning
    keep_rate: float

    if TYPE_CHECKING:  # each family has its own

        @property
        def blocks(self) -> Sequence[Block]: ...

        @property
        def window(self) -> Window: ...

        def layer_of(self, name: str) -> int: ...

        def no_weight_decay(self) -> set[str]: ...

        def pixels(self, x: Tensor) -> Tensor: ...

        def encode(self, x: Tensor, keep_patches: Tensor | None = None) -> Tensor: ...


def check_input(x: Tensor, frames: int) -> None:
    if not isinstance(x, Tensor):
        raise UserError(f"input of type {type(x).__name__}; this model takes (clips, {frames}, {MEL_BINS}), a tensor")
    if x.ndim != 3 or x.shape[1] != frames or x.shape[2] != MEL_BINS:
        raise UserError(f"input of shape {tuple(x.shape)}; this model takes (clips, {frames}, {MEL_BINS})")


def layer_of(name: str, depth: int = 12) -> int:
    """Layer of a parameter for layer-wise learning-rate decay: embeddings 0, block i -> i + 1, the rest depth + 1."""
    parts = [part for part in name.split(".") if part not in ("module", "v")]
    if parts[0] in EMBEDDINGS:
        return 0
    return int(parts[1]) + 1 if parts[0] == "blocks" else depth + 1


def no_weight_decay(model: nn.Module) -> set[str]:
    """Names of the prefix tokens and position embeddings."""
    names = [*dict(model.named_parameters()), *dict(model.named_buffers())]
    return {name for name in names if name.rpartition(".")[2] in NOT_DECAYED}
