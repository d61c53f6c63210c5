"""A Whisper as it is timed (profiling.pace.Subject): log-mel, pruned encoder, greedy decoding of a batch.

Its window is 1500 tokens whatever the clip, and policies prune the whole of it, so that every clip keeps as many. In a
batch the decoder goes on until the last clip has ended, and the others wait for it: that is executed, and not useful.
What is useful is counted as if a clip had a window of its own length.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import whisper
from torch import Tensor

from audioprune.facts.recogniser import Recogniser
from audioprune.facts.tokens import entering
from audioprune.profiling import whisper_macs
from audioprune.recognisers.whisper import prune
from audioprune.recognisers.whisper_decoding import UNITS
from audioprune.settings.costs import Batching, PaceSettings

SAMPLES = 320  # of a token, 20 ms


class PacedWhisper:
    def __init__(self, model: whisper.Whisper, facts: Recogniser, own: PaceSettings):
        self.model, self.facts, self.own = model, facts, own
        self.options = whisper.DecodingOptions(language="en", without_timestamps=True, fp16=False, sample_len=UNITS)
        self.policy, self.keep_rate = "none", 1.0

    def window(self, batching: Batching) -> int:
        return self.facts.tokens

    def tokens(self, samples: int) -> int:
        return min(self.facts.tokens, -(-samples // SAMPLES))

    def choose(self, policy: str, keep_rate: float) -> None:
        self.policy, self.keep_rate = policy, keep_rate
        named = "stride" if policy == "none" else policy  # at keep-rate 1 any is the untouched model
        prune(self.model, named, keep_rate, self.own.blocks, "window")

    def features(self, waves: Sequence[Tensor], batching: Batching) -> Tensor:
        """Waveforms (L,) -> log-mel (B, mels, 3000)."""
        return whisper.log_mel_spectrogram(torch.stack([whisper.pad_or_trim(w) for w in waves]), self.facts.mels)

    def encode(self, features: Tensor) -> Tensor:
        return self.model.encoder(features)

    def decode(self, encoded: Tensor) -> list[int]:
        """An encoding (B, K, D) -> units of each clip, the one that ends it included."""
        return [len(one.tokens) + 1 for one in self.model.decode(encoded.float(), self.options)]

    def executed(self, clips: int, units: Sequence[int]) -> tuple[int, int]:
        encoder, decoder = self._macs(self.facts.tokens, max(units))
        return clips * encoder, clips * decoder

    def useful(self, samples: int, units: int) -> tuple[int, int]:
        return self._macs(self.tokens(samples), units)

    def _macs(self, tokens: int, units: int) -> tuple[int, int]:
        counts = entering(tokens, self.keep_rate, self.own.blocks, self.facts.depth)
        scored = self.own.blocks if self.policy == "topk" and self.keep_rate < 1 else ()
        encoder = whisper_macs.encoder(self.facts, counts, scored=scored)
        return encoder, whisper_macs.decoder(self.facts, counts[-1], units)
