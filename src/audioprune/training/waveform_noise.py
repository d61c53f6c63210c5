"""Waveform noise: training clips in white or pink noise, or in babble of other training clips, before fbank.

It is noise as test clips meet it (audio.disturb): exact in level, and never clipped or rescaled. It is not the `noise`
of the released code, which is added to the pixels of the fbank (audio.augment).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from audioprune.audio import disturb
from audioprune.audio.noise_of import Noise, Pool
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError

KINDS = ("white", "pink", "babble")  # each as often as the others
SNRS = (0.0, 20.0)  # dB; uniform between them
TALKERS = 6  # voices of babble
OWN = "training"  # enters every seed: no noise of test clips has the same


class WaveformNoise:
    """Noise for some of a batch's clips; every draw is seeded by (seed, epoch, clip), so that a resume changes none.

    Babble is made of `rows`, the training clips: of other recordings and, where speakers are known, other speakers.
    """

    def __init__(self, waveforms: WaveformStore, rows: np.ndarray, probability: float, seed: int, mixed_by: str = ""):
        """probability: of a clip in an epoch; mixed_by: what separates the recordings of a clip that mixes several.

        UserError where the training clips are too few for babble.
        """
        self.clips, self.probability = waveforms.clips, probability
        babble = Pool(OWN, waveforms.clips, rows, waveforms.waveform, mixed_by)
        self.noise = Noise(disturb.digest(seed, OWN), TALKERS, {"babble": babble}, OWN)
        self._check(rows)

    def __call__(self, x: Tensor, lengths: Tensor, rows: np.ndarray, epoch: int) -> Tensor:
        """(B, L), zero beyond lengths (B,) -> the same with noise; clips without noise come back untouched.

        Worked on clip by clip on the CPU, in float64. A clip without power has no level, and stays as it is.
        """
        x = x.clone()
        for i, (row, length) in enumerate(zip(rows.tolist(), lengths.tolist(), strict=True)):
            if drawn := self.drawn(row, epoch):
                kind, level = drawn
                clean = disturb.centred(x[i, :length].cpu().numpy())
                if disturb.power_of(clean):
                    v = self.noise.of(kind, epoch, self.clips.iloc[row], length)
                    mixture = clean + disturb.factor(clean, v, level) * v
                    x[i, :length] = torch.from_numpy(mixture.astype(np.float32)).to(x.device)
        return x

    def drawn(self, row: int, epoch: int) -> tuple[str, float] | None:
        """(kind, level in dB) of a clip in an epoch; None where it stays as it is."""
        clip = self.clips["clip"].iloc[row]
        rng = np.random.default_rng(disturb.digest(self.noise.seed, "kind and level", epoch, clip))
        on, kind, level = rng.random() < self.probability, KINDS[rng.integers(len(KINDS))], rng.uniform(*SNRS)
        return (kind, float(level)) if on else None

    def _check(self, rows: np.ndarray) -> None:
        own = self.clips.iloc[rows]
        recording = own["recording"].where(own["recording"] != "", own["clip"])
        source = own["speaker"].where(own["speaker"] != "", recording)
        others = len(own) - source.groupby(source).transform("size")
        if (few := int(others.min())) < TALKERS:
            raise UserError(
                f"waveform noise: the babble in the training clip {own['clip'].loc[others.idxmin()]!r} needs {TALKERS} "
                f"training clips of other recordings and, where speakers are known, other speakers; there are {few}. "
                "Leave `waveform_noise` out of the augmentation, and `noise_trained` out under `robustness`"
            )
