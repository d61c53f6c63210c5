"""The encoder of a Whisper in steps: its tokens before any block, at the attention of one, and after the last.

Letters: B windows, n tokens of 20 ms, D width, H heads, d = D / H. What lies before the first selection is the same for
all ways of pruning, so whoever tries many of them keeps a state and goes on from it. States are never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from audioprune.errors import UserError
from audioprune.models import scores
from audioprune.models.pruner import Survivors

if TYPE_CHECKING:
    from whisper.model import AudioEncoder, MultiHeadAttention, ResidualAttentionBlock

FRAMES = 4  # of 10 ms that a token's own pixels are: two of its own, and one on either side


@dataclass(frozen=True)
class State:
    """Tokens that are about to enter a block, or are between its attention and its MLP, where some may go."""

    mel: Tensor  # (B, mels, frames): what they were made of
    sound: int  # tokens that hold sound: the first of each window
    x: Tensor  # (B, n, D)
    survivors: Survivors  # its pixels are made where they are asked for (`pixels_of`)
    entered: tuple[Tensor, ...] = ()  # patch ids (B, n) of the tokens that entered each block so far
    keys: Tensor | None = None  # (B, n, d) summed over heads, of the block whose attention they have passed
    received: Mapping[int, Tensor] = field(
        default_factory=dict
    )  # {m: (B, m) attention that the first m give each other}

    @property
    def block(self) -> int:
        """The block that they are in, or are about to enter."""
        return len(self.entered) - (self.keys is not None)


def begin(encoder: AudioEncoder, mel: Tensor, sound: int | None = None) -> State:
    """Log-mel (B, mels, 2 n) -> n tokens with their positions; sound: None for all of them."""
    x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).permute(0, 2, 1)
    n = x.shape[1]
    x = (x + encoder.positional_embedding[:n]).to(x.dtype)
    patch_ids = torch.arange(n, device=x.device).expand(len(x), n)
    survivors = Survivors(patch_ids, x.new_empty(0), prefix=0, own_prefix=0)
    return State(mel, n if sound is None else sound, x, survivors)


def at(encoder: AudioEncoder, state: State, block: int, scored: Collection[int] = ()) -> State:
    """The state between attention and MLP of a block, for a selection; `scored`: of the first how many tokens the
    attention that they give each other is asked for.
    """
    state = before(encoder, state, block)
    x, Q, K = attended(encoder.blocks[block], state.x, state.survivors.bias)
    received = {m: scores.without_map(Q[:, :, :m], K[:, :, :m], "global", 0) for m in scored}
    entered = (*state.entered, state.survivors.patch_ids)
    return replace(state, x=x, entered=entered, keys=K.detach().sum(1), received=received)


def before(encoder: AudioEncoder, state: State, block: int) -> State:
    """The state that is about to enter a block: those before it are left, or passed as they are, to the last bit."""
    while state.block < block or state.keys is not None:
        own = encoder.blocks[state.block]
        if state.keys is not None:
            x = state.x + own.mlp(own.mlp_ln(state.x))
            state = replace(state, x=x, keys=None, received={})
        elif state.survivors.bias is None:
            state = replace(state, x=own(state.x), entered=(*state.entered, state.survivors.patch_ids))
        else:
            state = at(encoder, state, state.block)
    return state


def encoded(encoder: AudioEncoder, state: State) -> tuple[Tensor, tuple[Tensor, ...]]:
    """(the encoding (B, K, D), the numbers of the tokens that entered each block and that left the last)."""
    state = before(encoder, state, len(encoder.blocks))
    return encoder.ln_post(state.x), (*state.entered, state.survivors.patch_ids)


def attended(block: ResidualAttentionBlock, x: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """x (B, n, D) after attention and residual, with queries and keys (B, H, n, d); `bias` (B, n) of the keys."""
    attention: MultiHeadAttention = block.attn
    normed = block.attn_ln(x)
    q, k, v = attention.query(normed), attention.key(normed), attention.value(normed)  # (B, n, D)
    Q, K, V = (one.unflatten(2, (attention.n_head, -1)).transpose(1, 2) for one in (q, k, v))  # (B, H, n, d)
    if bias is None:
        branch, _ = attention.qkv_attention(q, k, v)
    else:
        mask = bias[:, None, None].to(q.dtype)  # (B, 1, 1, n)
        branch = F.scaled_dot_product_attention(Q, K, V, attn_mask=mask).transpose(1, 2).flatten(2)
    return x + attention.out(branch), Q, K


def pixels_of(mel: Tensor) -> Tensor:
    """Log-mel (B, mels, 2 n) -> the pixels of each token, (B, n, 4 mels): its two frames of 10 ms and one on either
    side, the first and last frame twice. Smaller than the five frames that the two convolutions see.
    """
    padded = F.pad(mel, (1, 1), mode="replicate")
    return padded.unfold(2, FRAMES, 2).permute(0, 2, 1, 3).flatten(2)


def sounding(mel: Tensor) -> int:
    """How many tokens of a window hold sound: all but those at its end whose frames are all alike.

    # ASSUME: frames that equal the last one to the last bit are padding; so is digital silence at the end of a clip.
    The windows of one call must agree, since they are encoded together; UserError else.
    """
    alike = (mel == mel[..., -1:]).all(1)  # (B, frames)
    places = torch.arange(1, alike.shape[1] + 1, device=mel.device)
    lengths = set((places * ~alike).amax(1).tolist())
    if len(lengths) > 1:
        raise UserError(
            f"within='sound' keeps another number of tokens in each clip, and these hold {sorted(lengths)} frames of "
            "sound: decode one clip at a time"
        )
    return -(-lengths.pop() // 2)
