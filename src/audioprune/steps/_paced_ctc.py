"""A recogniser with a CTC head as it is timed (profiling.pace.Subject): front end, pruned encoder, arg-max by column.

Clips of a batch are as long as they are, with masks; `padded` ones are filled with silence to the longest of all, which
the model then takes for sound, as one whose input is fixed does. Every clip is pruned as if it were alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor

from audioprune.facts.recogniser import AUXILIARY
from audioprune.facts.tokens import entering
from audioprune.facts.units import Units
from audioprune.models.ctc import Heard, Listener
from audioprune.settings.costs import Batching, PaceSettings
from audioprune.settings.speech import TranscribeSettings


class PacedCtc:
    def __init__(
        self,
        model: Listener,
        units: Units,
        own: PaceSettings,
        put_in: Callable[[Listener, TranscribeSettings], None],
        longest: int,
    ):
        """put_in: gives the model the policy of an arm; longest: samples of the longest clip of all."""
        self.model, self.units, self.own, self.put_in, self.longest = model, units, own, put_in, longest
        self.policy, self.keep_rate = "none", 1.0
        self.samples: list[int] = []
        self.last: list[list[int]] = []  # of each clip: tokens that entered each block, and left the last

    def window(self, batching: Batching) -> None:
        return None

    def tokens(self, samples: int) -> int:
        return self.model.columns(samples)

    def choose(self, policy: str, keep_rate: float) -> None:
        self.policy, self.keep_rate = policy, keep_rate
        own = self.own
        arm = TranscribeSettings(
            recogniser=own.recogniser, dataset=own.dataset, policy=policy, keep_rate=keep_rate, blocks=own.blocks
        )
        self.put_in(self.model, arm.model_copy(update={"restore": "nearest"}))

    def features(self, waves: Sequence[Tensor], batching: Batching) -> list[Tensor]:
        if batching == "padded":
            waves = [F.pad(wave, (0, self.longest - len(wave))) for wave in waves]
        self.samples = [len(wave) for wave in waves]
        return [self.model.read(wave) for wave in waves]

    def encode(self, features: list[Tensor]) -> Heard:
        made = self.model(features)
        self.last = made.tokens
        return made

    def decode(self, encoded: Heard) -> list[int]:
        best = encoded.logits.argmax(-1).tolist()
        said = (self.units.transcript(one[:n]) for one, n in zip(best, encoded.columns, strict=True))
        return [len(one.split() if self.units.kind == "words" else one) for one in said]

    def executed(self, clips: int, units: Sequence[int]) -> tuple[int, int]:
        """Every clip as long as the longest of its batch in each block; convolutions run over its own samples."""
        entered = [max(counts) for counts in zip(*self.last, strict=True)]
        return sum(self._macs(samples, entered) for samples in self.samples), 0

    def useful(self, samples: int, units: int) -> tuple[int, int]:
        counts = entering(self.tokens(samples), self.keep_rate, self.own.blocks, len(self.model.layers))
        return self._macs(samples, counts), 0

    def _macs(self, samples: int, counts: list[int]) -> int:
        scored = self.own.blocks if self.policy == "topk" and self.keep_rate < 1 else ()
        blank = counts[len(self.model.layers) // 4] if self.policy in AUXILIARY else 0
        return self.model.macs(samples, counts[0], counts, scored=scored, blank=blank)
