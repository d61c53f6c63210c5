"""Training batches: seeded order, and augmentation in the released code's order.

B clips, L samples, T frames, C classes. Every random draw of batch (epoch, step) comes from a generator seeded by
(seed, epoch, step): nothing depends on worker counts, on what ran before, or on a resume.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from audioprune import registry
from audioprune.audio import augment as ops
from audioprune.audio.fbank import log_mel
from audioprune.audio.features import FeatureStore
from audioprune.audio.patches import token_index
from audioprune.audio.store import WaveformStore
from audioprune.facts.tokens import Orientation, grid
from audioprune.records import canonical
from audioprune.settings.training import Augment, Recipe
from audioprune.training.schedules import masks_on


def seed_of(seed: int, *where: str | int) -> int:
    """A seed for one place, such as ("batch", epoch, step): 63 bits of SHA-256."""
    digest = hashlib.sha256(canonical([seed, *where]).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator(seed: int, *where: str | int) -> torch.Generator:
    """A CPU generator for one place."""
    return torch.Generator().manual_seed(seed_of(seed, *where))


def steps_of(clips: int, batch_size: int) -> int:
    return math.ceil(clips / batch_size)


def order_of(clips: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The clips of an epoch in random order, in batches of batch_size or one or a few less.

    DIFFERS: the released loaders drop an incomplete last batch; here every clip is seen once in every epoch.
    """
    order = torch.randperm(clips, generator=generator(seed, "order", epoch)).numpy()
    return np.array_split(order, steps_of(clips, batch_size))


@dataclass(frozen=True)
class Batch:
    x: Tensor  # (B, T, 128) normalised
    y: Tensor  # (B, C) targets in 0..1
    keep_patches: Tensor | None = None  # (B, M) patches left by 2-D masking, in the model's numbering


class Batches:
    """batch_of(epoch, step) of one run.

    Features come from the store as they are; where the augmentation touches waveforms (magnitude, roll, mixup, waveform
    noise), they are computed from the resident waveforms instead, on the device.
    """

    def __init__(
        self,
        features: FeatureStore,
        waveforms: WaveformStore,
        *,
        rows: np.ndarray,
        targets: np.ndarray,
        augment: Augment,
        recipe: Recipe,
        target: float,
        seed: int,
        device: torch.device,
        orientation: Orientation = "time",
        mixed_by: str = "",
    ):
        """rows: store rows of the training clips; targets (n, C) of all the store's clips; target: final keep-rate.

        orientation: how the model numbers the patches that 2-D masking leaves. mixed_by: what separates the recordings
        of a clip that mixes several.
        """
        self.features, self.waveforms, self.rows = features, waveforms, rows
        self.targets = torch.from_numpy(targets)
        self.augment, self.recipe, self.target = augment, recipe, target
        self.seed, self.device, self.orientation = seed, device, orientation
        self.waveform_noise: Callable[[Tensor, Tensor, np.ndarray, int], Tensor] | None = None
        if augment.waveform_noise:  # by name: its code counts for no training without it
            noise = registry.get("training", "waveform-noise")
            self.waveform_noise = noise.WaveformNoise(waveforms, rows, augment.waveform_noise, seed, mixed_by)
        self.steps = steps_of(len(rows), recipe.batch_size)
        self._epoch = -1
        self._order: list[np.ndarray] = []

    def __call__(self, epoch: int, step: int) -> Batch:
        if epoch != self._epoch:
            self._epoch, self._order = epoch, order_of(len(self.rows), self.recipe.batch_size, self.seed, epoch)
        rows = self.rows[self._order[step]]
        draw = generator(self.seed, "batch", epoch, step)
        augment = self.augment
        specaug, mask_2d = masks_on(self.recipe, augment, self.target, epoch)
        if augment.magnitude or augment.mixup or augment.roll != "none" or augment.waveform_noise:
            x, y = self._from_waveforms(rows, draw, epoch)
        else:
            x, y = self.features.raw(rows).to(self.device), self.targets[rows]
        if specaug and (augment.specaug_freq or augment.specaug_time):
            x = ops.specaug(x, augment.specaug_freq, augment.specaug_time, draw)
        x = self.features.normalise(x)
        if augment.noise:
            x = ops.noise(x, draw)
        keep = None
        if mask_2d and augment.mask_2d:
            time, freq = grid(x.shape[1])
            kept = ops.mask_2d(time, freq, augment.mask_2d, draw, len(x))  # (B, M) time-major
            keep = token_index(self.orientation, time, freq).flatten()[kept].to(self.device)
        return Batch(x, y.to(self.device), keep)

    def _from_waveforms(self, rows: np.ndarray, draw: torch.Generator, epoch: int) -> tuple[Tensor, Tensor]:
        """Fbank (B, T, 128) before normalisation, and targets (B, C), of augmented waveforms."""
        x, lengths = self._each(rows, draw)
        y = self.targets[rows].to(self.device)
        if self.augment.mixup:
            second, weight = ops.draw_mixup(len(rows), len(self.rows), self.augment.mixup, draw)
            others = self.rows[second.numpy()]
            second_y = self.targets[others].to(self.device)
            x, y = ops.mixup(x, lengths, y, *self._each(others, draw), second_y, weight)
        if self.waveform_noise is not None:  # last, so that its level is that of the mixture that is heard
            x = self.waveform_noise(x, lengths, rows, epoch)
        return log_mel(x, lengths, self.features.values.shape[1])[0], y

    def _each(self, rows: np.ndarray, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Waveforms (B, L), zero-padded, and their lengths (B,): each clip scaled and rolled on its own, before any
        mixing (released code: dataset.py, _roll_mag_aug)."""
        x, lengths = self.waveforms.batch(rows)
        if self.augment.magnitude:
            x = ops.magnitude(x, draw)
        if self.augment.roll == "time":
            x = ops.roll_waveform(x, lengths, draw)
        return x, lengths
