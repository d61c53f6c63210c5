"""Clips a second of a family by length, keep-rate, kernel and precision, beside the card's own matrix products."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pandas as pd
import torch
from torch import nn

from audioprune.cells import provenance
from audioprune.facts.mel import MEL_BINS
from audioprune.models.build import build_model
from audioprune.profiling.macs import count
from audioprune.profiling.throughput import DTYPES, arithmetic, measure
from audioprune.profiling.timings import COLUMNS, summary
from benchmarks._parts.given import Given
from benchmarks._parts.rows import TIMED_OUT, Rows, Table

CLASSES, RATES = 50, (1.0, 0.7, 0.5)
LENGTHS = {64: 128, 256: 512, 512: 1024}  # tokens: frames
PRECISIONS = ("fp32", "tf32", "bf16")
TABLE = "speed.csv"
WIDE = (
    "device", "backbone", "tokens", "frames", "kernel", "precision", "keep_rate", "batch_size", "runs",
    "samples_per_s", "samples_per_s_low", "samples_per_s_high", "speed_up", "mac_ratio", "speed_up_over_mac_ratio",
    "gmacs", "tflops", "peak_tflops", "share_of_peak", "peak_memory_mib",
)  # fmt: skip


def run(given: Given, rows: Rows, family: str) -> None:
    torch.set_flush_denormal(True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cuda = device.type == "cuda"
    backbone = f"{family}-tiny" if given.quick else f"{family}-b"
    precisions = [one for one in PRECISIONS if cuda or one != "tf32"]
    peaks = {}
    for precision in precisions:
        peaks[precision] = peak(precision, device, 512 if given.quick else 8192 if cuda else 1024)
        rows.add(f"matrix product, {precision}", peaks[precision], "TFLOP/s")
    if not cuda:
        rows.needs_cuda(f"{backbone}, tf32 and peak memory")
    cost = 1.0
    for tokens, frames in list(LENGTHS.items())[: 2 if given.quick else None]:
        for kernel in ("fused", "eager"):
            model = build_model(
                backbone, frames=frames, num_classes=CLASSES, method="topk", keep_rate=min(RATES), kernel=kernel
            )
            for precision in precisions:
                what = f"{backbone}, {tokens} tokens, {kernel}, {precision}"
                if given.left < 3 * cost + 5:
                    rows.write(what, TIMED_OUT, note="no time was left for it")
                    continue
                with rows.guarded(what):
                    begun = given.left
                    timed(given, rows, what, model, backbone, tokens, kernel, precision, device, peaks[precision])
                    cost = begun - given.left


def timed(
    given: Given,
    rows: Rows,
    what: str,
    model: nn.Module,
    backbone: str,
    tokens: int,
    kernel: str,
    precision: str,
    device: torch.device,
    peak_tflops: float,
) -> None:
    """A row for each keep-rate."""
    frames = LENGTHS[tokens]
    batch, warmup, runs = (2, 1, 3) if given.quick else (8192 // tokens, 3, 15) if device.type == "cuda" else (2, 1, 5)
    seconds = measure(
        model, frames=frames, batch_size=batch, keep_rates=RATES, warmup=warmup, runs=runs, precision=precision,
        device=device,
    )  # fmt: skip
    timings = pd.DataFrame([(rate, kernel, turn, s) for rate, turn, s in seconds], columns=list(COLUMNS))
    whole = count(backbone, frames=frames, num_classes=CLASSES).total
    for one in summary(timings, batch).to_dict("records"):
        rate = one["keep_rate"]
        macs = count(backbone, frames=frames, num_classes=CLASSES, keep_rate=rate).total
        tflops = 2 * macs * one["samples_per_s"] / 1e12
        over = one["speed_up"] / (whole / macs)
        memory = peak_memory(model, rate, frames, batch, precision, device)
        Table(given.out / TABLE, WIDE).add(
            device=provenance.device(), backbone=backbone, tokens=tokens, frames=frames, kernel=kernel,
            precision=precision, keep_rate=rate, batch_size=batch, mac_ratio=whole / macs, gmacs=macs / 1e9,
            speed_up_over_mac_ratio=over, tflops=tflops, peak_tflops=peak_tflops, share_of_peak=tflops / peak_tflops,
            peak_memory_mib=memory, **{name: one[name] for name in WIDE if name in one and name != "keep_rate"},
        )  # fmt: skip
        note = (
            f"{one['speed_up']:.2f} x unpruned, {over:.2f} of the MACs' ratio, {tflops / peak_tflops:.0%} of the peak"
        )
        rows.add(f"{what}, keep-rate {rate:g}", one["samples_per_s"], "clips/s", note=note)


def peak(precision: str, device: torch.device, n: int) -> float:
    """TFLOP/s of a product of two n x n matrices: the median of ten."""
    dtype = DTYPES.get(precision, torch.float32)
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    with torch.inference_mode(), arithmetic(precision if precision == "tf32" else "fp32", device):
        return 2 * n**3 / median_seconds(lambda: a @ b, device, 10) / 1e12


def median_seconds(work: Callable[[], object], device: torch.device, times: int) -> float:
    """Median over runs after three for warm-up, each between two synchronisations."""
    found = []
    for turn in range(-3, times):
        synchronise(device)
        started = time.perf_counter()
        work()
        synchronise(device)
        if turn >= 0:
            found.append(time.perf_counter() - started)
    return statistics.median(found)


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_memory(
    model: nn.Module, rate: float, frames: int, batch: int, precision: str, device: torch.device
) -> float | None:
    """MiB allocated at most during one forward pass, weights and input included; None on a CPU."""
    if device.type != "cuda":
        return None
    model.eval()
    model.keep_rate = rate
    x = torch.randn(batch, frames, MEL_BINS, device=device)
    torch.cuda.reset_peak_memory_stats(device)
    with torch.inference_mode(), arithmetic(precision, device):
        model(x)
    return torch.cuda.max_memory_allocated(device) / 2**20
