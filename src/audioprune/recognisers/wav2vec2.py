"""wav2vec 2.0 with a CTC head (Baevski et al. 2020), as torchaudio's pipelines have it; weight names are torchaudio's.

Letters: B clips, L samples, n columns of 20 ms, D width, H heads, d = D / H, V units. A waveform goes through seven
convolutions (no bias; a GroupNorm of one group a channel after the first; GELU), LayerNorm, Linear(512 -> D), plus a
grouped convolution over 128 columns that tells positions, LayerNorm, post-norm blocks, and Linear(D -> V). Clips are
not normalised.

# DIFFERS: the GroupNorm of the front end takes its statistics over a clip's own samples, and padded columns are zero
# before the positional convolution, so that a batch equals its clips alone; torchaudio's depend on the batch.
# DIFFERS: no dropout in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.init import xavier_uniform_
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.rnn import pad_sequence

from audioprune.errors import UserError
from audioprune.facts.recogniser import CONVOLUTIONS, POSITIONS, Ctc, convolved
from audioprune.facts.units import OFFICIAL
from audioprune.models.ctc import Listener
from audioprune.models.pruner import Pruning, Survivors
from audioprune.models.ragged import Layer, Ragged
from audioprune.profiling import ctc_macs
from audioprune.recognisers import _ctc

NOT_SAID = slice(1, 4)  # rows of the official head that stand for no letter: torchaudio drops them
FRAME = 320  # samples between columns
FLOOR = 1e-10  # smallest power whose decibels are taken


class Convolved(nn.Module):
    """One convolution of the front end."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, *, normed: bool):
        super().__init__()
        self.layer_norm = nn.GroupNorm(outputs, outputs) if normed else None
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return F.gelu(x if self.layer_norm is None else self.layer_norm(x))


class FeatureExtractor(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        inputs = [1, *(one.channels for one in CONVOLUTIONS)]
        self.conv_layers = nn.ModuleList(
            Convolved(before, *one, normed=i == 0) for i, (before, one) in enumerate(zip(inputs, CONVOLUTIONS))
        )

    def forward(self, wave: Tensor) -> Tensor:
        """(L,) -> (n, 512)."""
        x = wave[None, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x[0].T


class FeatureProjection(nn.Module):
    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.layer_norm, self.projection = nn.LayerNorm(inputs), nn.Linear(inputs, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.projection(self.layer_norm(x))


class PosConv(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        kernel, groups = POSITIONS
        self.conv = weight_norm(nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=groups), dim=2)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.conv(x.transpose(1, 2))[..., :-1]).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.k_proj, self.v_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.q_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)


class FeedForward(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.intermediate_dense, self.output_dense = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.output_dense(F.gelu(self.intermediate_dense(x)))


class PostNorm(nn.Module):
    """A block in its parts (see models.ragged.Layer): tokens are pruned after the norm that follows attention."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.num_heads = heads
        self.attention, self.layer_norm = Attention(width), nn.LayerNorm(width)
        self.feed_forward, self.final_layer_norm = FeedForward(width), nn.LayerNorm(width)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own = self.attention
        projected = (layer(x) for layer in (own.q_proj, own.k_proj, own.v_proj))
        q, k, v = (one.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for one in projected)
        return q, k, v

    def joined(self, x: Tensor, branch: Tensor) -> Tensor:
        return self.layer_norm(x + self.attention.out_proj(branch.transpose(1, 2).flatten(2)))

    def fed(self, x: Tensor) -> Tensor:
        return self.final_layer_norm(x + self.feed_forward(x))


class Transformer(nn.Module):
    def __init__(self, width: int, heads: int, depth: int):
        super().__init__()
        self.pos_conv_embed, self.layer_norm = PosConv(width), nn.LayerNorm(width)
        self.layers = nn.ModuleList(PostNorm(width, heads) for _ in range(depth))


class Encoder(nn.Module):
    def __init__(self, facts: Ctc):
        super().__init__()
        self.feature_projection = FeatureProjection(CONVOLUTIONS[-1].channels, facts.width)
        self.transformer = Transformer(facts.width, facts.heads, facts.depth)


class Wav2Vec2(Listener):
    def __init__(self, facts: Ctc, *, units: int):
        super().__init__()
        self.facts = facts
        self.feature_extractor, self.encoder = FeatureExtractor(), Encoder(facts)
        self.aux = nn.Linear(facts.width, units)
        self.auxiliary = nn.Sequential(nn.LayerNorm(facts.width), nn.Linear(facts.width, units))
        self.pruning, self.restore, self.at_input, self.eager = Pruning(), "carried", None, False

    @property
    def layers(self) -> Sequence[Layer]:
        return self.encoder.transformer.layers  # type: ignore[return-value]  # a sequence of them, unsaid in the stubs

    def columns(self, samples: int) -> int:
        return convolved(samples)[-1]

    def read(self, wave: Tensor) -> Tensor:
        """The waveform (L,) itself."""
        return wave

    def front(self, clips: Sequence[Tensor]) -> Ragged:
        features = pad_sequence([self.feature_extractor(clip) for clip in clips], batch_first=True)  # (B, N, 512)
        counts = [self.columns(len(clip)) for clip in clips]
        own = torch.arange(max(counts), device=features.device) < torch.tensor(counts, device=features.device)[:, None]
        x = self.encoder.feature_projection(features) * own[..., None]
        transformer = self.encoder.transformer
        x = transformer.layer_norm(x + transformer.pos_conv_embed(x))
        patch_ids = torch.arange(max(counts), device=x.device)[None]
        survivors = (
            Survivors(patch_ids[:, :n], power(clip, n), prefix=0, own_prefix=0)
            for clip, n in zip(clips, counts, strict=True)
        )
        return Ragged(x, tuple(survivors))

    def classified(self, x: Tensor) -> Tensor:
        return self.aux(x)

    def macs(
        self, samples: int, columns: int, tokens: Sequence[int], *, scored: Sequence[int] = (), blank: int = 0
    ) -> int:
        units = self.aux.out_features
        return ctc_macs.wav2vec2(self.facts, samples, units, tokens, columns=columns, scored=scored, blank=blank)

    def learn(self, waves: Sequence[Tensor]) -> None:
        """The front end stays as it was published."""
        self.feature_extractor.requires_grad_(False)


def power(wave: Tensor, columns: int) -> Tensor:
    """Decibels of the mean square of each column's 320 samples, (1, n, 1): its one pixel, by which intensity ranks."""
    square = wave[: columns * FRAME].unfold(0, FRAME, FRAME).square().mean(1)  # (n,)
    return 10 * (square + FLOOR).log10()[None, :, None]


def build(facts: Ctc, *, units: int, strip: int, seed: int, drop_path: float = 0.0) -> Wav2Vec2:
    """A model whose weights are to be loaded, but for the auxiliary head's. It has no strips, and drops no path."""
    model = Wav2Vec2(facts, units=units)
    generator = torch.Generator().manual_seed(seed)
    head = model.get_submodule("auxiliary.1")
    xavier_uniform_(head.get_parameter("weight").data, generator=generator)
    nn.init.zeros_(head.get_parameter("bias"))
    return model


def load_official(model: Wav2Vec2, path: Path) -> None:
    """Put torchaudio's checkpoint in; UserError where it is another one."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of pickle, of torch, of the file system: whatever the file holds
        raise UserError(
            f"{path} cannot be read as a checkpoint of PyTorch: {str(error).partition(chr(10))[0]}"
        ) from None
    name, units = model.facts.name, len(OFFICIAL)
    rows = len(state["aux.bias"]) if isinstance(state, dict) and "aux.bias" in state else 0
    if rows == units + 3:
        for key in ("aux.weight", "aux.bias"):
            state[key] = torch.cat([state[key][: NOT_SAID.start], state[key][NOT_SAID.stop :]])
    elif rows != units:
        raise UserError(
            f"the head of {path} has {rows} units and {name} has {units} labels (32 rows: rows 1 to 3 are dropped, "
            f"{units} remain); take the file that workflow/sources.yaml names"
        )
    old = "encoder.transformer.pos_conv_embed.conv."
    renamed = {f"{old}weight_g": "original0", f"{old}weight_v": "original1"}
    state = {f"{old}parametrizations.weight.{renamed[k]}" if k in renamed else k: v for k, v in state.items()}
    wanted = {key: tensor for key, tensor in model.state_dict().items() if not key.startswith("auxiliary.")}
    missing, extra = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    other = [key for key in wanted.keys() & state.keys() if wanted[key].shape != state[key].shape]
    if missing or extra or other:
        shapes = [f"{k} is {tuple(state[k].shape)}, not {tuple(wanted[k].shape)}" for k in sorted(other)[:3]]
        raise UserError(
            f"{path} is another checkpoint than {name}: missing {missing[:3]}, left over {extra[:3]}, of another shape "
            f"{'; '.join(shapes) or 'none'}; take the file that workflow/sources.yaml names"
        )
    model.load_state_dict(state, strict=False)


listener, made, put_in, budget_met = _ctc.listener, _ctc.made, _ctc.put_in, _ctc.budget_met
