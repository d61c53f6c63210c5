"""Whisper with a pruned encoder (openai-whisper's model; Radford et al. 2022): the decoder attends to what is left.

Letters: B windows of 30 s, P = 1500 tokens of 20 ms, n tokens entering a block, K kept, D width, H heads, d = D / H.
At a pruning block, after attention and its residual and before the MLP as in the classifiers, a policy keeps or merges
tokens. They stay in the order of time; their positions were added before block 0 and go with them. Nothing is put back.

within="window"   K = ceil(keep_rate n) of all n tokens
within="sound"    K = ceil(keep_rate n) of the n that hold sound; all others stay. Clips shorter than 30 s are mostly
                  padding, so a policy that only finds the padding would look good on the whole window
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audioprune.errors import UserError
from audioprune.facts.checks import check_blocks, check_keep_rate
from audioprune.models import scores
from audioprune.models.policy import make_policy
from audioprune.models.pruner import Reducer, Survivors
from audioprune.settings import Within

if TYPE_CHECKING:
    from whisper.model import AudioEncoder, MultiHeadAttention, ResidualAttentionBlock, Whisper

FRAMES = 4  # of 10 ms that a token's own pixels are: two of its own, and one on either side


class PrunedEncoder(nn.Module):
    """What stands in the place of a Whisper's encoder: log-mel (B, mels, 3000) -> (B, K, D).

    An encoding (B, n, D) of any number of tokens is given back as it is, so that decoding can begin with it.
    Of the last call, `kept` are the tokens that it left, (B, K), by their numbers in the window, of a run its first;
    `tokens` are how many entered each block, and left the last.
    """

    def __init__(
        self, whole: AudioEncoder, policy: Reducer, *, keep_rate: float, blocks: Sequence[int], within: Within
    ):
        super().__init__()
        self.whole, self.policy = whole, policy
        self.keep_rate, self.pruning_blocks, self.within = keep_rate, frozenset(blocks), within
        self.kept, self.tokens = torch.empty(0, 0, dtype=torch.int64), [0]

    def forward(self, mel: Tensor) -> Tensor:
        P, D = self.whole.positional_embedding.shape
        if mel.shape[-1] == D != 2 * P:
            return mel
        x = F.gelu(self.whole.conv2(F.gelu(self.whole.conv1(mel)))).permute(0, 2, 1)
        if x.shape[1:] != (P, D):
            raise UserError(f"an encoder of {P} tokens takes {2 * P} frames of log-mel, not {mel.shape[-1]}")
        x = (x + self.whole.positional_embedding).to(x.dtype)  # (B, P, D)
        numbers = torch.arange(P, device=x.device).expand(len(x), P)
        survivors = Survivors(numbers, pixels_of(mel), extra=0, declared=0)
        sound = sounding(mel) if self.within == "sound" else P
        self.tokens = [P]
        for i, block in enumerate(self.whole.blocks):
            prunes = i in self.pruning_blocks and self.keep_rate < 1
            if not prunes and survivors.bias is None:
                x = block(x)  # as it is, to the last bit
            else:
                x, survivors = self.pruned(block, i, x, survivors, prunes, sound)
            self.tokens.append(int(x.shape[1]))
        self.kept = survivors.numbers
        return self.whole.ln_post(x)

    def pruned(
        self, block: ResidualAttentionBlock, i: int, x: Tensor, survivors: Survivors, prunes: bool, sound: int
    ) -> tuple[Tensor, Survivors]:
        """Block i with its selection, or after one that gave keys of merged runs their weight."""
        policy, inside = self.policy if prunes else None, int((survivors.numbers < sound).sum(1)[0])
        x, seen = attended(block, x, policy, inside, survivors.bias)
        if policy is not None:
            reduce = partial(policy.reduce, keep_rate=self.keep_rate, block=i, seen=seen)
            x, survivors = at_front(reduce, x, survivors, inside)
        return x + block.mlp(block.mlp_ln(x)), survivors


def attended(
    block: ResidualAttentionBlock, x: Tensor, policy: Reducer | None, inside: int, bias: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """x (B, n, D) after attention and residual, and what the policy wants to see of the `inside` first tokens: the
    attention that they give each other (B, inside), their keys summed over heads (B, inside, d), or nothing.
    """
    attention: MultiHeadAttention = block.attn
    normed = block.attn_ln(x)
    q, k, v = attention.query(normed), attention.key(normed), attention.value(normed)  # (B, n, D)
    Q, K, V = (one.unflatten(2, (attention.n_head, -1)).transpose(1, 2) for one in (q, k, v))  # (B, H, n, d)
    seen, wanted = None, None if policy is None else policy.attention
    if wanted == "keys":
        seen = K[:, :, :inside].detach().sum(1)
    elif wanted is not None:
        seen = scores.without_map(Q[:, :, :inside], K[:, :, :inside], wanted, 0)
    if bias is None:
        branch, _ = attention.qkv_attention(q, k, v)
    else:
        mask = bias[:, None, None].to(q.dtype)  # (B, 1, 1, n)
        branch = F.scaled_dot_product_attention(Q, K, V, attn_mask=mask).transpose(1, 2).flatten(2)
    return x + attention.out(branch), seen


Reduce = Callable[[Tensor, Survivors], tuple[Tensor, Survivors]]


def at_front(reduce: Reduce, x: Tensor, survivors: Survivors, inside: int) -> tuple[Tensor, Survivors]:
    """Reduce the `inside` first of n tokens; the others stay behind them."""
    n = x.shape[1]
    if inside == n:
        return reduce(x, survivors)
    if inside == 0:
        return x, survivors
    y, front = reduce(x[:, :inside], part(survivors, slice(inside)))
    behind = part(survivors, slice(inside, None))
    one = torch.ones(len(x), n - inside, device=x.device)  # what a token that was never merged stands for
    survivors = replace(
        front,
        numbers=torch.cat([front.numbers, behind.numbers], dim=1),
        sizes=after(front.sizes, behind.sizes, one),
        bias=after(front.bias, behind.bias, one.log()),
    )
    return torch.cat([y, x[:, inside:]], dim=1), survivors


def part(survivors: Survivors, places: slice) -> Survivors:
    sizes, bias = (None if one is None else one[:, places] for one in (survivors.sizes, survivors.bias))
    return replace(survivors, numbers=survivors.numbers[:, places], sizes=sizes, bias=bias)


def after(front: Tensor | None, behind: Tensor | None, neutral: Tensor) -> Tensor | None:
    """Both in a row, (B, n); None where the front has none."""
    return None if front is None else torch.cat([front, neutral if behind is None else behind], dim=1)


def pixels_of(mel: Tensor) -> Tensor:
    """Log-mel (B, mels, 2 P) -> the pixels of each token, (B, P, 4 mels): its two frames of 10 ms and one on either
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


def prune(
    model: Whisper,
    policy: str,
    keep_rate: float,
    blocks: Sequence[int] = (2,),
    within: Within = "window",
    **options: Any,
) -> Whisper:
    """The same model, its encoder pruned, until `model.restore()`: see audioprune.prune_whisper."""
    whole = model.encoder.whole if isinstance(model.encoder, PrunedEncoder) else model.encoder
    chosen = check_blocks(blocks, len(whole.blocks))
    if within not in get_args(Within):
        raise UserError(f"within={within!r} is none of {', '.join(get_args(Within))}")
    keep_rate = check_keep_rate(keep_rate)
    made = make_policy(policy, model.dims.n_audio_ctx, options)
    model.encoder = PrunedEncoder(whole, made, keep_rate=keep_rate, blocks=chosen, within=within)
    model.transcribe, model.restore = MethodType(_transcribe, model), MethodType(_restore, model)
    return model


def _restore(model: Whisper) -> Whisper:
    """The user's own model again."""
    model.encoder = model.encoder.whole
    del model.transcribe, model.restore
    return model


def _transcribe(model: Whisper, audio: Any, **options: Any) -> dict:
    if options.get("word_timestamps"):
        raise UserError(
            "word_timestamps=True reads times off the places of encoder tokens, and this encoder has lost some: "
            "transcribe without it, or call model.restore() first"
        )
    return type(model).transcribe(model, audio, **options)
