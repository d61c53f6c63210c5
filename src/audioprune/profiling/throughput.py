"""Timing of forward passes (P0 Table 7), in rounds of all keep-rates (profiling.rounds).

P0 says one GPU, a batch size and 50 runs, and nothing of precision, warm-up or synchronisation. Here: evaluation mode,
random inputs (time does not depend on them), float32 without TF32 unless asked otherwise, at least one warm-up pass of
every keep-rate, and one time for each forward pass of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from audioprune.errors import UserError
from audioprune.facts.mel import MEL_BINS
from audioprune.profiling.rounds import arithmetic, clock_of, rounds
from audioprune.progress import Progress


def measure(
    model: nn.Module,
    *,
    frames: int,
    batch_size: int,
    keep_rates: Sequence[float],
    warmup: int,
    runs: int,
    precision: str = "fp32",
    device: torch.device,
    name: str = "",
) -> list[tuple[float, int, float]]:
    """Rows (keep_rate, run, seconds for one batch) of a model whose `keep_rate` can be set; UserError."""
    if 1.0 not in keep_rates or len(set(keep_rates)) < len(keep_rates):
        raise UserError(
            f"keep_rates {tuple(keep_rates)} must be distinct and include 1.0, the baseline of the same run"
        )
    was, training = model.keep_rate, model.training
    model.to(device).eval()
    x = torch.randn(batch_size, frames, MEL_BINS, generator=torch.Generator().manual_seed(0)).to(device)
    clock = clock_of(device)
    progress = Progress(name, (warmup + runs) * len(keep_rates), "passes") if name else None

    def passed(rate: float) -> float:
        model.keep_rate = rate  # type: ignore[assignment]
        return clock(lambda: model(x))[1]

    try:
        with torch.inference_mode(), arithmetic(precision, device):
            timed = rounds(keep_rates, passed, warmup=warmup, runs=runs, progress=progress)
    finally:
        model.keep_rate = was
        model.train(training)
    return [(float(rate), run, seconds) for rate, run, seconds in timed]
