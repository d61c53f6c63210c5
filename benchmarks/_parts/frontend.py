"""The front end on this device: against what was recorded, and against the CPU on made clips of several lengths."""

from __future__ import annotations

import numpy as np
import torch

from audioprune import registry
from audioprune.audio.fbank import log_mel, normalise
from audioprune.training.device import prepare
from benchmarks._parts import made
from benchmarks._parts.given import Given
from benchmarks._parts.parity import EXACT, FIXTURES
from benchmarks._parts.rows import Rows

MADE = 1e-3  # log-mel of made clips: quiet bins, whose logarithm is steep, are in them


def run(given: Given, rows: Rows) -> None:
    device = prepare("audiomae-tiny")
    for path in sorted(FIXTURES.glob("*_kr*.npz")):
        recorded = np.load(path)
        if "waveform0" not in recorded:
            continue
        with rows.guarded(path.stem):
            facts = registry.dataset(path.stem.split("_")[1])
            worst = 0.0
            for i, wanted in enumerate(recorded["fbank"]):
                wave = torch.from_numpy(recorded[f"waveform{i}"]).reshape(1, -1).to(device)
                x = normalise(log_mel(wave, None, len(wanted))[0], facts.mean, facts.std)
                worst = max(worst, float(np.abs(x[0].cpu().numpy() - wanted).max()))
            rows.add(f"{path.stem}: recorded features", worst, "max abs difference", at_most=EXACT)
    note = "" if device.type == "cuda" else "the device is the CPU: it is compared with itself"
    with rows.guarded("made words"):
        clips = [wave for _, wave in made.words(0, 24)]
        width = max(map(len, clips))
        waves = torch.zeros(len(clips), width)
        lengths = torch.tensor([len(clip) - 300 * i for i, clip in enumerate(clips)])  # some shorter than the others
        for wave, clip, length in zip(waves, clips, lengths.tolist(), strict=True):
            wave[:length] = torch.from_numpy(clip[:length])
        off = difference(waves, lengths, made.FRAMES, device)
        rows.add("made words: features", off, "max abs difference", at_most=MADE, note=note)
    with rows.guarded("clips of 10 s"):
        waves = torch.from_numpy(made.long_clips(2 if given.quick else 16))
        off = difference(waves, None, 1024, device)
        rows.add("clips of 10 s: features", off, "max abs difference", at_most=MADE, note=note)


def difference(waves: torch.Tensor, lengths: torch.Tensor | None, frames: int, device: torch.device) -> float:
    """Largest difference of log-mel energies on the device from the CPU's."""
    own = log_mel(waves.to(device), None if lengths is None else lengths.to(device), frames)[0].cpu()
    return float((own - log_mel(waves, lengths, frames)[0]).abs().max())
