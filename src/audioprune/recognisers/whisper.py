"""Whisper with a pruned encoder (openai-whisper's model; Radford et al. 2022): the decoder attends to what is left.

Letters: B windows of 30 s, P = 1500 tokens of 20 ms, n tokens entering a block, K kept, D width, H heads, d = D / H.
At a pruning block, after attention and its residual and before the MLP as in the classifiers, a policy keeps or merges
tokens. They stay in the order of time; their positions were added before block 0 and go with them. Nothing is put back.

within="window"   K = ceil(keep_rate n) of all n tokens
within="sound"    K = ceil(keep_rate n) of the n that hold sound; all others stay. Clips shorter than 30 s are mostly
                  padding, so a policy that only finds the padding would look good on the whole window
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MethodType
from typing import TYPE_CHECKING, Any, get_args

import torch
from torch import Tensor, nn

from audioprune.errors import UserError
from audioprune.facts.checks import check_blocks, check_keep_rate
from audioprune.models.policy import make_policy
from audioprune.models.pruner import Reducer
from audioprune.recognisers.selecting import inside, share, wanted
from audioprune.recognisers.whisper_states import at, before, begin, encoded, sounding
from audioprune.settings.speech import Within

if TYPE_CHECKING:
    from whisper.model import AudioEncoder, Whisper


class PrunedEncoder(nn.Module):
    """What stands in the place of a Whisper's encoder: log-mel (B, mels, 3000) -> (B, K, D).

    An encoding (B, n, D) of any number of tokens is given back as it is, so that decoding can begin with it.
    Of the last call, `kept` are the tokens that it left, (B, K), by their numbers in the window, of a run its first.
    """

    def __init__(
        self, whole: AudioEncoder, policy: Reducer, *, keep_rate: float, blocks: Sequence[int], within: Within
    ):
        super().__init__()
        self.whole, self.policy = whole, policy
        self.keep_rate, self.pruning_blocks, self.within = keep_rate, tuple(blocks), within
        self.kept = torch.empty(0, 0, dtype=torch.int64)

    def forward(self, mel: Tensor) -> Tensor:
        P, D = self.whole.positional_embedding.shape
        if mel.shape[-1] == D != 2 * P:
            return mel
        if mel.shape[-1] != 2 * P:
            raise UserError(f"an encoder of {P} tokens takes {2 * P} frames of log-mel, not {mel.shape[-1]}")
        state = begin(self.whole, mel, sounding(mel) if self.within == "sound" else P)
        for block in self.pruning_blocks if self.keep_rate < 1 else ():
            state = before(self.whole, state, block)
            m = inside(state, self.within)
            state = share(at(self.whole, state, block, wanted(self.policy, m)), self.policy, self.keep_rate, m)
        encoding, entered = encoded(self.whole, state)
        self.kept = entered[-1]
        return encoding


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
