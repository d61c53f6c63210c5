"""Encodings of any number of tokens into transcripts, by the library's own greedy decoding, several clips together.

Clips of other lengths share a batch: the decoder's attention to the encoding leaves out what a clip has not, so that
each is decoded as if it were alone. What has not ended after a few units goes on with its like from the beginning, so
that one transcript that runs on does not hold up the others: greedy decoding says the same again.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
import whisper
from torch import Tensor

UNITS = 224  # of a transcript, at most
SOON = 32  # by which most transcripts of a sentence have ended
TOGETHER = 16  # clips in a batch
DEFAULTS = {name: one.default for name, one in inspect.signature(whisper.transcribe).parameters.items()}
RUNAWAY = DEFAULTS["compression_ratio_threshold"]  # above it the library itself distrusts a transcript


@dataclass(frozen=True)
class Heard:
    text: str
    units: int  # with the one that ends
    decoded: tuple[int, ...]  # units of every try, the last that of the text
    runaway: bool  # it repeats itself, or reaches the limit of units


@torch.no_grad()
def heard(model: whisper.Whisper, encodings: Sequence[Tensor], *, fallback: bool = False) -> list[Heard]:
    """What is heard in encodings (K, D), each of its own K, by a model whose encoder gives back what it is given.

    fallback: what the library's `transcribe` would distrust is sampled at its rising temperatures, each clip alone and
    from a seed of its own content.
    """
    limits = (min(SOON, UNITS), UNITS)
    found: dict[int, Any] = {}
    for limit in limits:
        open_ones = [
            clip for clip in range(len(encodings)) if clip not in found or len(found[clip].tokens) >= limits[0]
        ]
        for first in range(0, len(open_ones), TOGETHER):
            group = open_ones[first : first + TOGETHER]
            decoded = _decoded(model, [encodings[clip] for clip in group], sample_len=limit)
            found |= dict(zip(group, decoded, strict=True))
    return [_heard(model, encodings[clip], found[clip], fallback) for clip in range(len(encodings))]


def _heard(model: whisper.Whisper, encoding: Tensor, result: Any, fallback: bool) -> Heard:
    tries = [result]
    if fallback:
        with torch.random.fork_rng([encoding.device] if encoding.is_cuda else []):
            torch.manual_seed(int(encoding.double().abs().sum().item() * 1000))
            for temperature in DEFAULTS["temperature"][1:]:
                if trusted(tries[-1]):
                    break
                tries += _decoded(model, [encoding], sample_len=UNITS, temperature=temperature)
    last = tries[-1]
    text = "" if fallback and silent(last) else last.text
    runaway = last.compression_ratio > RUNAWAY or len(last.tokens) >= UNITS
    return Heard(text, len(last.tokens) + 1, tuple(len(one.tokens) + 1 for one in tries), bool(runaway))


def trusted(result: Any) -> bool:
    """Whether the library's `transcribe` would sample no further, by its own defaults."""
    return silent(result) or (likely(result) and result.compression_ratio <= RUNAWAY)


def silent(result: Any) -> bool:
    """Whether it would take the clip for silence, and its transcript for nothing."""
    return bool(result.no_speech_prob > DEFAULTS["no_speech_threshold"]) and not likely(result)


def likely(result: Any) -> bool:
    return bool(result.avg_logprob >= DEFAULTS["logprob_threshold"])


def _decoded(model: whisper.Whisper, encodings: Sequence[Tensor], **options: Any) -> list[Any]:
    """The library's results of a batch, encodings (K, D) of any K."""
    lengths = [len(one) for one in encodings]
    padded = torch.stack([F.pad(one, (0, 0, 0, max(lengths) - len(one))) for one in encodings])  # (B, n, D)
    chosen = whisper.DecodingOptions(language="en", without_timestamps=True, fp16=False, **options)
    with attending(model, torch.tensor(lengths, device=padded.device)):
        return model.decode(padded, chosen)


@contextmanager
def attending(model: whisper.Whisper, lengths: Tensor) -> Iterator[None]:
    """Within it the decoder attends to the first tokens of each encoding only, (B,) of them; to all where all are full.

    The batch must stay as it is, which greedy decoding leaves it and beams do not.
    """
    blocks = [] if (lengths == lengths[0]).all() else list(model.decoder.blocks)
    there = torch.arange(int(lengths.max()), device=lengths.device) < lengths[:, None]  # (B, n)
    for block in blocks:
        block.cross_attn.qkv_attention = partial(_masked, block.cross_attn.n_head, there[:, None, None])
    try:
        yield
    finally:
        for block in blocks:
            del block.cross_attn.qkv_attention


def _masked(heads: int, there: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: None = None) -> tuple[Tensor, None]:
    """The library's attention (B, t, D) with keys (B, n, D) that are not there left out."""
    Q, K, V = (one.unflatten(2, (heads, -1)).transpose(1, 2) for one in (q, k, v))
    return F.scaled_dot_product_attention(Q, K, V, attn_mask=there).transpose(1, 2).flatten(2), None
