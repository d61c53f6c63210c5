"""The vision transformer that AudioMAE and AST share: pre-norm blocks with one place for pruning, and one `forward`.

Letters: B clips, N tokens of which e are prefix, D width, H heads, d = D / H, C pixels of a patch. Sources: the
released models_vit.py and ast_models.py, which prune after attention and its residual, before the MLP (P0 section 3).
Made of torch parts only: importing timm costs seconds, and every training job is a fresh process. Weight names are
those of timm, because official checkpoints use them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audioprune.models import scores
from audioprune.models.pruner import Attention as Score
from audioprune.models.pruner import Pruning, Reducer, Survivors, gather_kept

EPS = 1e-6
KERNELS = ("eager", "fused")


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer whose weights are left to `initialise` or to a checkpoint: no random numbers are drawn here."""
    return nn.utils.skip_init(nn.Linear, inputs, outputs)


class PatchEmbed(nn.Module):
    """Patches to tokens: the official convolution (D, 1, patch, patch) as one matrix product over a patch's pixels."""

    def __init__(self, *, width: int, patch: int):
        super().__init__()
        self.proj = nn.utils.skip_init(nn.Conv2d, 1, width, kernel_size=patch, stride=patch)

    def forward(self, pixels: Tensor) -> Tensor:
        return F.linear(pixels, self.proj.weight.flatten(1), self.proj.bias)  # (B, N, C) -> (B, N, D)


class DropPath(nn.Module):
    """Drop a clip's whole residual branch with probability `rate` in training, and scale the others up."""

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        keep = x.new_empty(x.shape[0], 1, 1).bernoulli_(1 - self.rate).div_(1 - self.rate)
        return x * keep


class Mlp(nn.Module):
    def __init__(self, *, width: int, hidden: int):
        super().__init__()
        self.fc1, self.fc2 = linear(width, hidden), linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))  # exact gelu


class Attention(nn.Module):
    """Self-attention with two kernels of the same results.

    eager   explicit softmaxed map, the scaling after Q K^T: the protocol of the paper, and what a profiler counts
    fused   scaled_dot_product_attention; the received-attention score without a map
    """

    def __init__(self, *, width: int, num_heads: int, kernel: str):
        super().__init__()
        self.num_heads, self.kernel = num_heads, kernel
        self.qkv, self.proj = linear(width, 3 * width), linear(width, width)

    def split(self, qkv: Tensor) -> tuple[Tensor, ...]:
        """(B, N, 3 D) -> queries, keys, values, each (B, H, N, d)."""
        return qkv.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)

    def forward(
        self, x: Tensor, wanted: Score | Literal["keys"] | None = None, prefix: int = 0, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """x (B, N, D) -> the branch (B, N, D), and what is wanted: nothing, the attention that the non-prefix tokens
        receive (B, N - prefix), or the keys of all tokens, summed over heads (B, N, d). `bias` (B, N) is added to the
        logits of each key.
        """
        q, k, v = self.split(self.qkv(x))
        score = None if wanted == "keys" else wanted
        if bias is not None:
            bias = bias[:, None, None].to(q.dtype)  # (B, 1, 1, N)
        if self.kernel == "eager":
            attention = (q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5  # (B, H, N, N)
            attention = (attention if bias is None else attention + bias).softmax(-1)
            seen = scores.of_map(attention, score, prefix) if score else None
            x = attention @ v
        else:
            seen = scores.without_map(q, k, score, prefix) if score else None
            x = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        if wanted == "keys":
            seen = k.detach().sum(1)  # the mean, but for a factor: a profiler must find no multiplication in a ranking
        return self.proj(x.transpose(1, 2).flatten(2)), seen  # (B, H, N, d) -> (B, N, D)


class Block(nn.Module):
    def __init__(self, *, width: int, num_heads: int, hidden: int, kernel: str, drop_path: float):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPS)
        self.attn = Attention(width=width, num_heads=num_heads, kernel=kernel)
        self.drop_path1 = DropPath(drop_path)
        self.norm2 = nn.LayerNorm(width, eps=EPS)
        self.mlp = Mlp(width=width, hidden=hidden)
        self.drop_path2 = DropPath(drop_path)

    def forward(
        self, x: Tensor, survivors: Survivors, pruner: Reducer | None = None, keep_rate: float = 1.0, block: int = 0
    ) -> tuple[Tensor, Survivors]:
        wanted = pruner.attention if pruner is not None else None
        branch, seen = self.attn(self.norm1(x), wanted, survivors.prefix, survivors.bias)
        x = x + self.drop_path1(branch)
        if pruner is not None:
            x, survivors = pruner.reduce(x, survivors, keep_rate=keep_rate, block=block, seen=seen)
        return x + self.drop_path2(self.mlp(self.norm2(x))), survivors


def make_blocks(
    *, width: int, depth: int, num_heads: int, hidden: int, kernel: str, drop_path: float
) -> Sequence[Block]:
    """`depth` blocks, drop-path rising linearly from 0 to `drop_path`."""
    rates = torch.linspace(0, drop_path, depth).tolist()
    return nn.ModuleList(  # type: ignore[return-value]  # a sequence of them, which torch's stubs do not say
        Block(width=width, num_heads=num_heads, hidden=hidden, kernel=kernel, drop_path=rate) for rate in rates
    )


def embed(
    pixels: Tensor, keep_patches: Tensor | None, *, patch_embed: PatchEmbed, prefix: Tensor, positions: Tensor
) -> tuple[Tensor, Survivors]:
    """Tokens before block 0. Patches outside `keep_patches` (B, M) are never embedded.

    pixels (B, P, C), prefix (1, e, D) with their positions added, positions (1, P, D) -> (B, e + P or M, D).
    """
    B, P, e = pixels.shape[0], pixels.shape[1], prefix.shape[1]
    if keep_patches is None:
        patch_ids = torch.arange(P, device=pixels.device).expand(B, P)
        x = patch_embed(pixels) + positions  # (B, P, D)
    else:
        patch_ids = keep_patches
        x = patch_embed(gather_kept(pixels, patch_ids, 0)) + gather_kept(positions.expand(B, -1, -1), patch_ids, 0)
    x = torch.cat([prefix.expand(B, -1, -1), x], dim=1)
    return x, Survivors(F.pad(patch_ids, (e, 0), value=-1), pixels, prefix=e, own_prefix=e)


def encode(blocks: Sequence[Block], x: Tensor, survivors: Survivors, pruning: Pruning) -> tuple[Tensor, Survivors]:
    """All blocks: (B, e + n, D) -> (B, tokens left, D)."""
    for i, block in enumerate(blocks):
        x, survivors = block(x, survivors, pruning.at(i), pruning.keep_rate, i)
    return x, survivors


def mean(x: Tensor, survivors: Survivors) -> Tensor:
    """Mean over the non-prefix tokens, (B, e + n, D) -> (B, D); a merged token counts for each of its patches, as in
    the released ToMe for mean-pooled MAE models (tome/patch/mae.py), and one that is gone for none.
    """
    e = survivors.own_prefix
    if survivors.sizes is None:
        return x[:, e:].mean(1)
    sizes = survivors.sizes[:, e:, None]  # (B, n, 1)
    return (x[:, e:] * sizes).sum(1) / sizes.sum(1).clamp(min=1)  # 0 where no token is left
