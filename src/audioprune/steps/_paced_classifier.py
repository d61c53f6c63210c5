"""A classifier as it is timed (profiling.pace.Subject): log-mel of a batch, pruned encoder, the best label.

A batch's log-mel has as many columns as its longest clip; `padded` ones have the model's. Clips of one length are heard
without padding; where a batch has several, the shorter ones are padded with their minimum to the longest, and the model
takes that for sound. Of `packed` ones it hears each clip's own columns (models.packed).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from audioprune.audio.fbank import log_mel, natural_frames, normalise
from audioprune.facts.lengths import columns_of
from audioprune.facts.tokens import PATCH
from audioprune.models.build import make_pruner
from audioprune.models.family import Classifier
from audioprune.models.native import any_length
from audioprune.models.packed import Attend, Packed, kernel_of
from audioprune.models.pruner import Pruning
from audioprune.profiling.macs import count
from audioprune.settings.costs import Batching, PaceSettings


class PacedClassifier:
    def __init__(
        self,
        model: Classifier,
        own: PaceSettings,
        classes: int,
        mean: float,
        std: float,
        attend: Attend | None = None,
    ):
        """mean, std: of the log-mel values that the model was trained with. attend: of clips in a row, where it is not
        the device's own."""
        self.model, self.own, self.classes, self.mean, self.std = any_length(model), own, classes, mean, std
        self.whole, self.rows = model.tokens.time, model.tokens.freq
        self.policy, self.keep_rate = "none", 1.0
        self.columns: list[int] = []  # that are computed of each clip of the last batch
        if "packed" in own.batchings and attend is None:
            attend = kernel_of(next(model.parameters()).device, own.precision)
        self.row = Packed(self.model, attend) if attend else None
        self.packed = False
        self.pruner = cache(lambda policy: make_pruner(policy, model.tokens, {}))
        self.macs = cache(self._macs)

    def window(self, batching: Batching) -> int | None:
        return self.rows * self.whole if batching == "padded" else None

    def tokens(self, samples: int) -> int:
        return self.rows * self._columns(samples)

    def choose(self, policy: str, keep_rate: float) -> None:
        self.policy, self.keep_rate = policy, keep_rate
        self.model.pruning = Pruning(self.pruner(policy), blocks=self.own.blocks, keep_rate=keep_rate)

    def features(self, waves: Sequence[Tensor], batching: Batching) -> Tensor:
        """Waveforms (L,) -> normalised log-mel (B, 16 C, 128)."""
        own, self.packed = [self._columns(len(wave)) for wave in waves], batching == "packed"
        C = self.whole if batching == "padded" else max(own)
        self.columns = own if self.packed else [C] * len(own)
        lengths = torch.tensor([len(wave) for wave in waves])
        x, _ = log_mel(torch.nn.utils.rnn.pad_sequence([*waves], batch_first=True), lengths, PATCH * C)
        return normalise(x, self.mean, self.std)

    def encode(self, features: Tensor) -> Tensor:
        return self.row(features, self.columns) if self.row and self.packed else self.model(features)

    def decode(self, encoded: Tensor) -> list[int]:
        """One label for each clip."""
        return [1] * len(encoded.argmax(1).tolist())

    def executed(self, clips: int, units: Sequence[int]) -> tuple[int, int]:
        return sum(self.macs(columns, self.policy, self.keep_rate) for columns in self.columns), 0

    def useful(self, samples: int, units: int) -> tuple[int, int]:
        return self.macs(self._columns(samples), self.policy, self.keep_rate), 0

    def _columns(self, samples: int) -> int:
        return min(self.whole, columns_of(int(natural_frames(torch.tensor(samples)))))

    def _macs(self, columns: int, policy: str, keep_rate: float) -> int:
        """Of a clip of so many columns, by the closed form."""
        return count(
            self.own.backbone, frames=PATCH * columns, num_classes=self.classes, method=policy, keep_rate=keep_rate,
            blocks=self.own.blocks,
        ).total  # fmt: skip
