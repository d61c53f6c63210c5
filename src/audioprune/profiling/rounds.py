"""How anything is timed: warm-up, then rounds of all that is compared, in turn, and clocks that wait for the device.

A round holds every arm once and each round begins with another one, so a drift of the clock or a busy neighbour meets
all alike, and ratios are taken within a run. Float32 is float32 unless asked otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch

from audioprune.errors import UserError
from audioprune.progress import Progress

DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}
Arm = TypeVar("Arm")
Found = TypeVar("Found")
Clock = Callable[[Callable[[], Found]], tuple[Found, float]]


def rounds(
    arms: Sequence[Arm], work: Callable[[Arm], Found], *, warmup: int, runs: int, progress: Progress | None = None
) -> list[tuple[Arm, int, Found]]:
    """(arm, run, what its work gave) of `runs` rounds, after `warmup` rounds that count for nothing."""
    rows = []
    for turn in range(-warmup, runs):
        first = turn % len(arms)
        for arm in (*arms[first:], *arms[:first]):
            found = work(arm)
            if turn >= 0:
                rows.append((arm, turn, found))
            if progress:
                progress.add()
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


def clock_of(device: torch.device) -> Clock:
    """work -> (what it gives, seconds): by synchronised CUDA events on a GPU, else by the processor's counter."""
    return _cuda_clock(device) if device.type == "cuda" else _processor_clock


def _processor_clock(work: Callable[[], Found]) -> tuple[Found, float]:
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start


def _cuda_clock(device: torch.device) -> Clock:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def clock(work: Callable[[], Found]) -> tuple[Found, float]:
        torch.cuda.synchronize(device)
        start.record()
        found = work()
        end.record()
        torch.cuda.synchronize(device)
        return found, start.elapsed_time(end) / 1e3  # milliseconds

    return clock
