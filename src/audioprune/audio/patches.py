"""Patches of the log-mel spectrogram, their statistics, and which token is which patch.

B clips, T frames, 128 mel bins. A patch is named by (time index, freq index); which token that is in a family says
facts.tokens. Any statistic of patches must be brought into the model's own order before it meets tokens.
Sources: P0 section 3; released code, `models_vit.py` (input B, 1, T, 128) and `ast_models.py` (input B, 1, 128, T).
"""

from __future__ import annotations

import torch
from torch import Tensor

from audioprune.facts import tokens
from audioprune.facts.tokens import PATCH, Orientation


def patchify(x: Tensor, patch: int = PATCH, stride: int = PATCH) -> Tensor:
    """(B, T, 128) -> (B, time, freq, patch * patch); the pixels of a patch frame by frame."""
    return x.unfold(1, patch, stride).unfold(2, patch, stride).flatten(3)


def patch_mean(x: Tensor, patch: int = PATCH, stride: int = PATCH) -> Tensor:
    """Intensity: mean of a patch's pixels, (B, T, 128) normalised -> (B, time, freq)."""
    return patchify(x, patch, stride).mean(-1)


def patch_std(x: Tensor, patch: int = PATCH, stride: int = PATCH) -> Tensor:
    """Variation: unbiased (ddof 1) standard deviation of a patch's pixels, (B, T, 128) -> (B, time, freq)."""
    return patchify(x, patch, stride).std(-1)


def token_order(orientation: Orientation, time: int, freq: int) -> Tensor:
    """Token -> patch: (time * freq, 2) int64, row i holds (time index, freq index) of token i."""
    return torch.tensor(tokens.token_order(orientation, time, freq), dtype=torch.int64).reshape(-1, 2)


def token_index(orientation: Orientation, time: int, freq: int) -> Tensor:
    """Patch -> token, the inverse of `token_order`: (time, freq) int64."""
    order = token_order(orientation, time, freq)
    index = torch.empty(time, freq, dtype=torch.int64)
    index[order[:, 0], order[:, 1]] = torch.arange(time * freq)
    return index


def to_tokens(x: Tensor, orientation: Orientation) -> Tensor:
    """Values of patches in token order: (B, time, freq, ...) -> (B, time * freq, ...)."""
    order = token_order(orientation, x.shape[1], x.shape[2]).to(x.device)
    return x[:, order[:, 0], order[:, 1]]
