"""Masked autoencoding: the encoder sees a fifth of the patches, a light decoder reconstructs the others.

B clips, P patches, M visible ones, D encoder width, W decoder width, C = 256 pixels of a patch. The loss is the mean
squared error on hidden patches, each patch's pixels normalised by its own mean and variance.
Source: He et al. 2022 (MAE); Huang et al. 2022 (AudioMAE), whose decoder attends in local windows.
# DIFFERS: the decoder here is a plain transformer, and its weights are dropped after pre-training, as every user of a
released checkpoint does.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from audioprune.audio.patches import token_order
from audioprune.facts.tokens import Tokens
from audioprune.models.family import Classifier


def random_visible(patches: int, mask_ratio: float, batch: int, generator: Generator) -> Tensor:
    """Patches that stay visible, at random for each clip, ascending: (B, int(P (1 - mask_ratio))) int64."""
    visible = int(patches * (1 - mask_ratio))
    if visible < 1:
        raise ValueError(f"mask_ratio {mask_ratio} leaves none of {patches} patches visible")
    draws = torch.rand(batch, patches, generator=generator)
    return draws.argsort(dim=1, stable=True)[:, :visible].sort(dim=1).values


def patch_targets(pixels: Tensor) -> Tensor:
    """(B, P, C) pixels of patches -> the same, each patch with mean 0 and variance 1."""
    mean, variance = pixels.mean(-1, keepdim=True), pixels.var(-1, keepdim=True)
    return (pixels - mean) / (variance + 1e-6).sqrt()


def positions(tokens: Tokens, width: int) -> Tensor:
    """Fixed sin-cos positions of patches in token order, (P, W): half of the channels for time, half for frequency."""
    if width % 4:
        raise ValueError(f"decoder_width must be a multiple of 4, not {width}")
    omega = 10000.0 ** -(torch.arange(width // 4) / (width // 4))  # (W / 4,)
    place = token_order(tokens.orientation, tokens.time, tokens.freq)  # (P, 2)
    angles = [place[:, axis, None] * omega for axis in (0, 1)]
    return torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)


class MaskedAutoencoder(nn.Module):
    """An encoder of audioprune.backbones, whose `encode(x, visible)` gives (B, e + M, D) tokens, and the decoder.

    Only the encoder and `norm`, the final norm of official pre-trainings, are kept in the end.
    """

    decoder_pos_embed: Tensor

    def __init__(
        self, encoder: Classifier, *, decoder_width: int, decoder_depth: int, pixels: int = 256, seed: int = 0
    ):
        super().__init__()
        self.encoder, tokens = encoder, encoder.tokens
        width = len(encoder.blocks[0].norm1.weight)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.decoder_embed = nn.Linear(width, decoder_width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, decoder_width))
        self.register_buffer("decoder_pos_embed", positions(tokens, decoder_width)[None])  # (1, P, W)
        self.decoder_blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                decoder_width,
                max(1, decoder_width // 32),
                4 * decoder_width,
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(decoder_depth)
        )
        self.decoder_norm = nn.LayerNorm(decoder_width)
        self.decoder_pred = nn.Linear(decoder_width, pixels)
        self._initialise(torch.Generator().manual_seed(seed))

    def _initialise(self, generator: Generator) -> None:
        """Xavier-uniform matrices, zero biases, a small random mask token; the encoder is left alone."""
        for name, parameter in self.named_parameters():
            if name.startswith("encoder."):
                continue
            if name == "mask_token":
                nn.init.normal_(parameter, std=0.02, generator=generator)
            elif parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """Loss of a batch: x (B, T, 128) normalised, visible (B, M) patches in the encoder's token order."""
        seen = self.norm(self.encoder.encode(x, visible))[:, self.encoder.tokens.prefix :]  # (B, M, D)
        tokens = self.decoder_embed(seen)  # (B, M, W)
        batch, _, width = tokens.shape
        patches = self.decoder_pos_embed.shape[1]
        index = visible[..., None].expand(-1, -1, width)
        painted = self.mask_token.to(tokens.dtype).expand(batch, patches, -1).scatter(1, index, tokens)  # (B, P, W)
        painted = painted + self.decoder_pos_embed
        for block in self.decoder_blocks:
            painted = block(painted)
        hidden = torch.ones(batch, patches, device=x.device).scatter_(1, visible, 0.0)  # (B, P)
        predicted = self.decoder_pred(self.decoder_norm(painted)).float()  # (B, P, C)
        error = (predicted - patch_targets(self.encoder.pixels(x))).square().mean(-1)  # (B, P)
        return (error * hidden).sum() / hidden.sum()
