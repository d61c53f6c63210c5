"""Timing of forward passes (P0 Table 7): warm-up, then rounds in which all keep-rates take turns, synchronised.

P0 says one GPU, a batch size and 50 runs, and nothing of precision, warm-up or synchronisation. Here: evaluation mode,
random inputs (time does not depend on them), float32 without TF32 unless asked otherwise, at least one warm-up pass of
every keep-rate, and one time for each forward pass of a batch: by CUDA events with a synchronisation on a GPU, by the
performance counter on a processor. A round holds every keep-rate once and each round begins with another one, so a
drift of the clock or a busy neighbour meets all alike, and ratios are taken within a run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from audioprune.errors import UserError
from audioprune.facts.mel import MEL_BINS
from audioprune.progress import Progress

DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


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
    clock = _cuda_clock(device) if device.type == "cuda" else _processor_clock
    progress = Progress(name, (warmup + runs) * len(keep_rates), "passes") if name else None
    rows = []
    try:
        with torch.inference_mode(), arithmetic(precision, device):
            for turn in range(-warmup, runs):
                for rate in _rotated(keep_rates, turn):
                    model.keep_rate = rate  # type: ignore[assignment]
                    seconds = clock(lambda: model(x))
                    if turn >= 0:
                        rows.append((float(rate), turn, seconds))
                    if progress:
                        progress.add()
    finally:
        model.keep_rate = was
        model.train(training)
    return rows


@contextmanager
def arithmetic(precision: str, device: torch.device) -> Iterator[None]:
    """fp32 (TF32 off), tf32, or mixed fp16 and bf16; what was set before comes back."""
    if precision in ("tf32", "fp16") and device.type != "cuda":
        raise UserError(f"precision {precision} needs a CUDA GPU and this runs on {device.type}; use fp32 or bf16")
    if precision not in ("fp32", "tf32", *DTYPES):
        raise UserError(f"precision {precision!r} is none of fp32, tf32, fp16, bf16")
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        with torch.autocast(device.type, DTYPES.get(precision, torch.bfloat16), enabled=precision in DTYPES):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def _rotated(keep_rates: Sequence[float], turn: int) -> list[float]:
    first = turn % len(keep_rates)
    return [*keep_rates[first:], *keep_rates[:first]]


def _processor_clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _cuda_clock(device: torch.device) -> Callable[[Callable[[], object]], float]:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def clock(work: Callable[[], object]) -> float:
        torch.cuda.synchronize(device)
        start.record()
        work()
        end.record()
        torch.cuda.synchronize(device)
        return start.elapsed_time(end) / 1e3  # milliseconds

    return clock
