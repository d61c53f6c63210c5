"""Speed on real clips: every batching, policy and keep-rate once in each round, over the whole list of clips.

What is timed of a batch is its front end, its encoder and its decoding, each by a clock that waits for the device, so
that the encoder alone and the way from end to end come from the same pass. Waveforms lie on the device beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from audioprune.profiling.batchings import Arm, Batch
from audioprune.profiling.rounds import Clock, arithmetic, clock_of, rounds
from audioprune.progress import Progress
from audioprune.settings.costs import Batching


class Subject(Protocol):
    """A model that is timed. `window`: tokens to which it pads every clip, whatever the batch; None: the batch's."""

    window: int | None

    def tokens(self, samples: int) -> int:
        """Tokens that a clip of so many samples fills."""
        ...

    def choose(self, policy: str, keep_rate: float) -> None: ...

    def features(self, waves: Sequence[Tensor], filled: bool) -> Any:
        """What the encoder takes in, of waveforms (L,); filled: with silence, to the length of the longest of all."""
        ...

    def encode(self, features: Any) -> Any: ...

    def decode(self, encoded: Any) -> list[int]:
        """Units that were written for each clip."""
        ...

    def executed(self, clips: int, units: Sequence[int]) -> tuple[int, int]:
        """MACs of encoder and decoder in the last batch, padding and waiting for the longest included."""
        ...

    def useful(self, samples: int, units: int) -> tuple[int, int]:
        """MACs of encoder and decoder of a clip alone, as long as it is, with the policy and keep-rate now chosen."""
        ...


@dataclass
class Spent:
    """What one arm took for all clips in one run: seconds, units written, MACs as they ran and as they were needed."""

    features_s: float = 0.0
    encoder_s: float = 0.0
    decoder_s: float = 0.0
    units: int = 0
    encoder_macs: int = 0
    decoder_macs: int = 0
    useful_encoder_macs: int = 0
    useful_decoder_macs: int = 0


def paced(
    subject: Subject,
    waves: Sequence[Tensor],
    arms: Sequence[Arm],
    batches: Mapping[Batching, Sequence[Batch]],
    *,
    warmup: int,
    runs: int,
    precision: str,
    device: torch.device,
    name: str,
) -> list[tuple[Arm, int, Spent]]:
    """(arm, run, what it took) of every arm in every run."""
    waves = [wave.to(device) for wave in waves]
    clock = clock_of(device)

    def passed(arm: Arm) -> Spent:
        subject.choose(arm.policy, arm.keep_rate)
        spent = Spent()
        for batch in batches[arm.batching]:
            _add(spent, subject, [waves[i] for i in batch.clips], batch.filled, clock)
        return spent

    progress = Progress(name, (warmup + runs) * len(arms), "passes")
    with torch.inference_mode(), arithmetic(precision, device):
        return rounds(arms, passed, warmup=warmup, runs=runs, progress=progress)


def _add(spent: Spent, subject: Subject, waves: Sequence[Tensor], filled: bool, clock: Clock) -> None:
    features, front = clock(lambda: subject.features(waves, filled))
    encoded, encoder = clock(lambda: subject.encode(features))
    units, decoder = clock(lambda: subject.decode(encoded))
    spent.features_s += front
    spent.encoder_s += encoder
    spent.decoder_s += decoder
    spent.units += sum(units)
    ran, needed = subject.executed(len(waves), units), map(subject.useful, map(len, waves), units)
    spent.encoder_macs += ran[0]
    spent.decoder_macs += ran[1]
    for encoder_macs, decoder_macs in needed:
        spent.useful_encoder_macs += encoder_macs
        spent.useful_decoder_macs += decoder_macs
