"""Speed on real clips: every batching, policy and keep-rate once in each round, over the whole list of clips.

What is timed of a batch is its front end, its encoder and its decoding, each by a clock that waits for the device, so
that the encoder alone and the way from end to end come from the same pass. Waveforms lie on the device beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import pandas as pd
import torch
from torch import Tensor

from audioprune.facts.mel import SAMPLE_RATE
from audioprune.profiling.batchings import ARM, Arm, Batch, arms_of, batches
from audioprune.profiling.rounds import Clock, arithmetic, clock_of, rounds
from audioprune.progress import Progress
from audioprune.settings.costs import Batching, PaceSettings


class Subject(Protocol):
    """A model that is timed."""

    def window(self, batching: Batching) -> int | None:
        """Tokens to which it pads every clip; None: those of the batch's longest, of `padded` ones of the longest."""
        ...

    def tokens(self, samples: int) -> int:
        """Tokens that a clip of so many samples fills."""
        ...

    def choose(self, policy: str, keep_rate: float) -> None: ...

    def features(self, waves: Sequence[Tensor], batching: Batching) -> Any:
        """What the encoder takes in, of waveforms (L,); `padded` ones are filled with silence to the longest of all."""
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


class Timed(NamedTuple):
    """What a timing found."""

    runs: pd.DataFrame  # a row for each arm and run: ARM, run and what Spent has
    batches: pd.DataFrame  # a row for each batch: batching, clips, their tokens (valid), tokens computed for them
    about: dict[str, float]  # clips, seconds of sound, tokens


def measured(subject: Subject, waves: Sequence[Tensor], own: PaceSettings, *, device: torch.device, name: str) -> Timed:
    """Every arm of `own` on waveforms (L,)."""
    lengths = [subject.tokens(len(wave)) for wave in waves]
    groups = {batching: batches(batching, lengths, own, subject.window(batching)) for batching in own.batchings}
    spent = paced(
        subject, waves, arms_of(own), groups,
        warmup=own.warmup, runs=own.runs, precision=own.precision, device=device, name=name,
    )  # fmt: skip
    runs = pd.DataFrame([{**dict(zip(ARM, arm, strict=True)), "run": run, **asdict(one)} for arm, run, one in spent])
    seconds = sum(len(wave) for wave in waves) / SAMPLE_RATE
    about = {"clips": len(waves), "audio_seconds": seconds, "tokens": sum(lengths)}
    return Timed(runs, _batched(groups, lengths), about)


def _batched(groups: Mapping[Batching, Sequence[Batch]], lengths: Sequence[int]) -> pd.DataFrame:
    def row(batching: str, batch: Batch) -> dict:
        valid = sum(lengths[i] for i in batch.clips)
        return {"batching": batching, "clips": len(batch.clips), "valid": valid, "computed": batch.computed}

    return pd.DataFrame([row(batching, batch) for batching, own in groups.items() for batch in own])


def paced(
    subject: Subject,
    waves: Sequence[Tensor],
    arms: Sequence[Arm],
    groups: Mapping[Batching, Sequence[Batch]],
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
        for batch in groups[arm.batching]:
            _add(spent, subject, [waves[i] for i in batch.clips], arm.batching, clock)
        return spent

    progress = Progress(name, (warmup + runs) * len(arms), "passes")
    with torch.inference_mode(), arithmetic(precision, device):
        return rounds(arms, passed, warmup=warmup, runs=runs, progress=progress)


def _add(spent: Spent, subject: Subject, waves: Sequence[Tensor], batching: Batching, clock: Clock) -> None:
    features, front = clock(lambda: subject.features(waves, batching))
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
