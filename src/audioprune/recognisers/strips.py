"""Strips: a vision transformer over strips of log-mel, each a few frames of all bins, with a CTC head. Our own.

Letters: B clips, L samples, T frames of 10 ms of a clip, S frames of a strip, n = ceil(T / S) strips, C = 128 S pixels
of a strip, D width, V output units. One token is Linear(C -> D) of a strip's pixels plus a fixed 1-D sin-cos embedding
of its index (D / 2 sines, then D / 2 cosines, of the index times 10000 ** (-k / (D / 2)); times 0.3 as in narrow
AudioMAE), so clips may be of any length. The last strip is padded with the clip's minimum. Blocks are the classifiers',
pre-norm.

16 x 16 patches, as the classifiers have them, last 160 ms, in which more than one phoneme is spoken.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.init import xavier_uniform_, zeros_

from audioprune.audio.fbank import log_mel, natural_frames, normalise
from audioprune.facts.mel import MEL_BINS
from audioprune.facts.recogniser import Ctc
from audioprune.models import vit
from audioprune.models.ctc import Listener
from audioprune.models.mae import NARROW_POSITIONS
from audioprune.models.position import sincos
from audioprune.models.pruner import Pruning, Survivors
from audioprune.models.ragged import Layer, Ragged
from audioprune.profiling import ctc_macs
from audioprune.recognisers import _ctc


class PreNorm(nn.Module):
    """A block of the classifiers in its parts (see models.ragged.Layer)."""

    def __init__(self, block: vit.Block):
        super().__init__()
        self.block = block

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        attention = self.block.attn
        q, k, v = attention.split(attention.qkv(self.block.norm1(x)))
        return q, k, v

    def joined(self, x: Tensor, branch: Tensor) -> Tensor:
        return x + self.block.drop_path1(self.block.attn.proj(branch.transpose(1, 2).flatten(2)))

    def fed(self, x: Tensor) -> Tensor:
        return x + self.block.drop_path2(self.block.mlp(self.block.norm2(x)))


class Strips(Listener):
    """mean and std, of the training clips' log-mel, travel with the weights."""

    def __init__(self, facts: Ctc, *, units: int, strip: int, drop_path: float = 0.0):
        super().__init__()
        D = facts.width
        self.facts, self.strip = facts, strip
        self.embed = vit.linear(MEL_BINS * strip, D)
        blocks = vit.make_blocks(
            width=D, depth=facts.depth, num_heads=facts.heads, hidden=4 * D, kernel="fused", drop_path=drop_path
        )
        self.blocks = nn.ModuleList(PreNorm(block) for block in blocks)
        self.norm, self.head = nn.LayerNorm(D, eps=vit.EPS), vit.linear(D, units)
        self.auxiliary = nn.Sequential(nn.LayerNorm(D, eps=vit.EPS), vit.linear(D, units))
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(0.0))
        self.register_buffer("std", torch.tensor(0.5))
        self.pruning, self.restore, self.at_input, self.eager = Pruning(), "carried", None, False

    @property
    def layers(self) -> Sequence[Layer]:
        return self.blocks  # type: ignore[return-value]  # a sequence of them, which torch's stubs do not say

    def columns(self, samples: int) -> int:
        return -(-int(natural_frames(torch.tensor(samples))) // self.strip)

    def read(self, wave: Tensor) -> Tensor:
        """Log-mel (n S, 128) of a waveform (L,), each clip alone, so that its pixels are the same in any batch."""
        return log_mel(wave[None], None, self.columns(len(wave)) * self.strip)[0][0]

    def front(self, clips: Sequence[Tensor]) -> Ragged:
        S, D = self.strip, self.embed.out_features
        counts = [len(clip) // S for clip in clips]  # n
        x = nn.utils.rnn.pad_sequence(list(clips), batch_first=True)  # (B, N S, 128)
        pixels = normalise(x, float(self.mean), float(self.std)).unflatten(1, (-1, S)).flatten(2)  # (B, N, C)
        positions = NARROW_POSITIONS * sincos(2 * D, 1, max(counts))[:, :D]
        patch_ids = torch.arange(max(counts), device=x.device)[None]
        own = (Survivors(patch_ids[:, :n], pixels[i : i + 1, :n], prefix=0, own_prefix=0) for i, n in enumerate(counts))
        return Ragged(self.embed(pixels) + positions.to(x.device), tuple(own))

    def macs(
        self, samples: int, columns: int, tokens: Sequence[int], *, scored: Sequence[int] = (), blank: int = 0
    ) -> int:
        units = self.head.out_features
        return ctc_macs.strips(self.facts, self.strip, units, tokens, columns=columns, scored=scored, blank=blank)

    def learn(self, waves: Sequence[Tensor]) -> None:
        """Mean and standard deviation are those of the natural frames of these clips; without any, as they are."""
        if not waves:
            return
        frames = [self.read(wave)[: int(natural_frames(torch.tensor(len(wave))))].double() for wave in waves]
        number = sum(one.numel() for one in frames)
        mean = sum(float(one.sum()) for one in frames) / number
        self.mean.fill_(mean)
        self.std.fill_((sum(float((one - mean).square().sum()) for one in frames) / number) ** 0.5)

    def classified(self, x: Tensor) -> Tensor:
        return self.head(self.norm(x))


def build(facts: Ctc, *, units: int, strip: int, seed: int, drop_path: float = 0.0) -> Strips:
    """A model of random weights: Xavier-uniform linear layers, biases 0, norms 1 and 0."""
    model = Strips(facts, units=units, strip=strip, drop_path=drop_path)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            xavier_uniform_(parameter.data, generator=generator)
        elif name.endswith("bias"):
            zeros_(parameter)
    return model


listener, made, put_in, budget_met = _ctc.listener, _ctc.made, _ctc.put_in, _ctc.budget_met
