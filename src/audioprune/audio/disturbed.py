"""Disturbed test clips as a model sees them, each made once for all that ask in this process.

n clips, T frames, one condition: the log-mel spectrogram of the disturbed clip, and which patches the clip dominates:
an ideal binary mask, the mean difference of the log-mel spectrograms of clip and noise, each by itself, above zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from audioprune.audio import disturb
from audioprune.audio.fbank import FLOOR, log_mel
from audioprune.audio.features import FeatureStore
from audioprune.audio.noise_of import Noise
from audioprune.audio.patches import patch_mean
from audioprune.audio.store import WaveformStore
from audioprune.facts.noise import ADDED, GAIN, Condition

HELD = 2**30  # bytes of spectrograms that are kept for the next who asks
SAMPLES = 2**23  # of noise that are kept for its next level


@dataclass(frozen=True, eq=False)
class Disturbed:
    """Clips of a store with noise of their own; `features` are those of the clean clips."""

    store: WaveformStore
    features: FeatureStore
    noise: Noise
    power: disturb.Power = "clip"
    _held: dict[tuple[int, Condition], tuple[Tensor, Tensor | None]] = field(default_factory=dict)
    _last: dict[tuple[int, str, int], tuple[np.ndarray, Tensor]] = field(default_factory=dict)

    def has_power(self, row: int) -> bool:
        """Whether a signal-to-noise ratio is defined."""
        return disturb.power_of(disturb.centred(self.store.waveform(row))) > 0

    def of(self, rows: Sequence[int], condition: Condition) -> tuple[Tensor, Tensor | None]:
        """(B, T, 128) log-mel, not normalised; (B, time, freq) whether the clip dominates, None without noise.

        A clip is worked on alone: no value depends on the batch.
        """
        found = [self._held.get((row, condition)) or self._made(row, condition) for row in rows]
        masks = [mask for _, mask in found if mask is not None]
        return torch.stack([x for x, _ in found]), torch.stack(masks) if masks else None

    def _made(self, row: int, condition: Condition) -> tuple[Tensor, Tensor | None]:
        x, mask = self._disturbed(row, condition)
        if (len(self._held) + 1) * x.numel() * x.element_size() <= HELD:
            self._held[row, condition] = x, mask
        return x, mask

    def _disturbed(self, row: int, condition: Condition) -> tuple[Tensor, Tensor | None]:
        kind, level, draw = condition
        clip, clean = self.store.clips.iloc[row], disturb.centred(self.store.waveform(row))
        if kind == GAIN:
            return self._log_mel(disturb.louder(clean, level)), None
        if kind not in ADDED:
            return self._log_mel(
                disturb.reverberant(clean, disturb.room(self.noise.rng(kind, draw, clip), level))
            ), None
        v, of_v = self._noise(row, kind, draw)
        g = disturb.factor(clean, v, level, self.power)
        # g v has the energies of v times g^2, but for the floor under which the front end takes no logarithm
        apart = self.features.raw([row])[0] - (of_v + 2 * math.log(g)).clamp(min=math.log(FLOOR))
        apart[int(self.features.frames[row]) :] = 0  # padding is neither
        return self._log_mel(clean + g * v), patch_mean(apart[None])[0] > 0

    def _noise(self, row: int, kind: str, draw: int) -> tuple[np.ndarray, Tensor]:
        """v (L,) with a mean square of one, and its log-mel spectrogram: for all levels."""
        key = row, kind, draw
        if key not in self._last:
            v = self.noise.of(kind, draw, self.store.clips.iloc[row], int(self.store.clips["length"].iloc[row]))
            v = v / math.sqrt(disturb.power_of(v))
            if sum(len(other) for other, _ in self._last.values()) + len(v) > SAMPLES:
                self._last.clear()
            self._last[key] = v, self._log_mel(v)
        return self._last[key]

    def _log_mel(self, waveform: np.ndarray) -> Tensor:
        (x,), _ = log_mel(torch.from_numpy(waveform.astype(np.float32))[None], None, self.features.values.shape[1])
        return x
