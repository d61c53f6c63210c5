"""A Whisper as it is timed (profiling.pace.Subject): log-mel, pruned encoder, greedy decoding of a batch.

Its window is 1500 tokens whatever the clip. In a batch the decoder goes on until the last clip has ended, so the others
wait for it: that is executed, and not useful. What is useful is counted as if a clip had a window of its own length.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import whisper
from torch import Tensor

from audioprune.facts.recogniser import Recogniser
from audioprune.facts.tokens import keep_count
from audioprune.profiling import whisper_macs
from audioprune.recognisers.official import UNITS, greedy
from audioprune.recognisers.whisper import PrunedEncoder, prune
from audioprune.settings import Within

SAMPLES = 320  # of a token, 20 ms


class PacedWhisper:
    def __init__(
        self, model: whisper.Whisper, facts: Recogniser, *, blocks: Sequence[int], within: Within, units: int = UNITS
    ):
        self.model, self.facts, self.blocks, self.within = model, facts, tuple(blocks), within
        self.window, self.options = facts.tokens, greedy(units)
        self.scored: tuple[int, ...] = ()
        self.keep_rate = 1.0

    def tokens(self, samples: int) -> int:
        return min(self.window, -(-samples // SAMPLES))

    def choose(self, policy: str, keep_rate: float) -> None:
        if policy == "none":
            policy, keep_rate = "stride", 1.0  # at keep-rate 1 any is the untouched model
        prune(self.model, policy, keep_rate, self.blocks, self.within)
        self.scored = self.blocks if policy == "topk" and keep_rate < 1 else ()
        self.keep_rate = keep_rate

    def features(self, waves: list[Tensor], tokens: int) -> Tensor:
        """Waveforms (L,) -> log-mel (B, mels, 3000)."""
        return whisper.log_mel_spectrogram(torch.stack([whisper.pad_or_trim(w) for w in waves]), self.facts.mels)

    def encode(self, features: Tensor) -> Tensor:
        return self.model.encoder(features)

    def decode(self, encoded: Tensor) -> list[int]:
        """An encoding (B, K, D) -> units of each clip, the one that ends it included."""
        return [len(one.tokens) + 1 for one in self.model.decode(encoded.float(), self.options)]

    def executed(self, clips: int, units: Sequence[int]) -> tuple[int, int]:
        encoder: PrunedEncoder = self.model.encoder
        return self._macs(clips, encoder.tokens, max(units))

    def useful(self, tokens: int, units: int) -> tuple[int, int]:
        entering = [tokens]
        for block in range(self.facts.depth):
            prunes = self.keep_rate < 1 and block in self.blocks
            entering.append(keep_count(self.keep_rate, entering[-1]) if prunes else entering[-1])
        return self._macs(1, entering, units)

    def _macs(self, clips: int, entering: Sequence[int], units: int) -> tuple[int, int]:
        encoder = whisper_macs.encoder(self.facts, entering, scored=self.scored)
        return clips * encoder, clips * whisper_macs.decoder(self.facts, entering[-1], units)
