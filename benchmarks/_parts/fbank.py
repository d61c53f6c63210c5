"""Log-mel features of 10 s clips a second, on the device and on the CPU."""

from __future__ import annotations

import torch

from audioprune.audio.fbank import log_mel
from audioprune.training.device import prepare
from benchmarks._parts import made
from benchmarks._parts.given import Given
from benchmarks._parts.rows import Rows
from benchmarks._parts.speed import median_seconds

FRAMES = 1024


def run(given: Given, rows: Rows) -> None:
    device = prepare("audiomae-b")
    waves = torch.from_numpy(made.long_clips(4 if given.quick else 64))
    speed(rows, waves[:4], torch.device("cpu"), 3)
    if device.type != "cuda":
        rows.needs_cuda("clips of 10 s on the GPU")
        return
    for batch in (1, 16, 64):
        torch.cuda.reset_peak_memory_stats(device)
        speed(rows, waves[:batch].to(device), device, 20)


def speed(rows: Rows, waves: torch.Tensor, device: torch.device, times: int) -> None:
    seconds = median_seconds(lambda: log_mel(waves, None, FRAMES), device, times)
    note = f"at most {torch.cuda.max_memory_allocated(device) / 2**20:.0f} MiB" if device.type == "cuda" else ""
    rows.add(f"clips of 10 s, batches of {len(waves)}, {device.type}", len(waves) / seconds, "clips/s", note=note)
