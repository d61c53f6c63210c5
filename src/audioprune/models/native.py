"""Clips of any length through a model of one length, without padding.

Letters: B clips, F frames of a clip, C = ceil(F / 16) columns of time that hold its sound, T frames of the model.

Up to T   the tokens of the first C columns alone, with the positions that these columns have in the model: a shorter
          clip is a prefix of the model's own grid. K = ceil(keep_rate 8 C), and nothing behind the columns has a part
          in what a clip gives. The last column is padded with the clip's minimum, as the front end pads; a clip of T
          frames gives what it gives anyway, to the last bit.
Beyond    windows of T frames that abut, the last one moved back so that it ends with the clip. Logits are averaged: a
          window counts by the columns that no window before it has heard, so that every column of the clip counts once.

Clips of a batch have one length, so that no mask is needed.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from audioprune.errors import UserError
from audioprune.facts.lengths import columns_of, windows
from audioprune.facts.mel import MEL_BINS
from audioprune.facts.tokens import PATCH, Tokens, token_order
from audioprune.models.family import Classifier

Forward = Callable[[Tensor, Tensor | None], Tensor]


class AnyLength(nn.Module):
    """Laid over a family's model: its call takes normalised log-mel (B, F, 128) of any F."""

    frames: int
    patch: int
    stride: int
    tokens: Tokens

    def forward(self, x: Tensor, keep_patches: Tensor | None = None) -> Tensor:
        """(B, F, 128) -> (B, classes). With patches to keep, (B, M), F is T."""
        plain: Forward = super().forward
        as_ever = keep_patches is not None or not _is_clip(x) or x.shape[1] == self.frames
        return plain(x, keep_patches) if as_ever else _heard(self, plain, x)


def any_length(model: Classifier) -> Classifier:
    """The same model, whose call takes clips of any length."""
    family = type(model)
    if not isinstance(model, AnyLength):
        model.__class__ = type(family.__name__, (AnyLength, family), {"__module__": family.__module__})
    return model


def _is_clip(x: object) -> bool:
    return isinstance(x, Tensor) and x.ndim == 3 and x.shape[1] > 0 and x.shape[2] == MEL_BINS


def _heard(model: AnyLength, plain: Forward, x: Tensor) -> Tensor:
    if (model.patch, model.stride) != (PATCH, PATCH):
        raise UserError(
            f"a native length is whole columns of {PATCH} frames, and this model's patches are {model.patch} wide and "
            f"{model.stride} apart: cut or pad a clip of {x.shape[1]} frames to the model's {model.frames}"
        )
    columns = columns_of(x.shape[1])
    if columns <= model.tokens.time:
        keep = first_columns(model.tokens, columns, x.device)
        return plain(padded(x, model.frames), keep.expand(len(x), -1))
    x, total = padded(x, PATCH * columns), torch.zeros((), device=x.device)
    for first, new in windows(columns, model.tokens.time):
        total = total + new * plain(x[:, PATCH * first : PATCH * first + model.frames], None)
    return total / columns


def padded(x: Tensor, frames: int) -> Tensor:
    """(B, F, 128) -> (B, frames, 128): the rest is each clip's minimum."""
    rest = x.amin((1, 2), keepdim=True).expand(-1, frames - x.shape[1], MEL_BINS)
    return torch.cat([x, rest], dim=1)


def first_columns(tokens: Tokens, columns: int, device: torch.device | None = None) -> Tensor:
    """Numbers of the tokens of the first columns, in token order: (8 columns,) int64."""
    order = token_order(tokens.orientation, tokens.time, tokens.freq)
    return torch.tensor([number for number, (time, _) in enumerate(order) if time < columns], device=device)
