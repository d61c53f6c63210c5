"""Clips a second of a family by length, batch, keep-rate, kernel and precision, beside the card's own matrix products.

A small batch in bf16 ends on a large card before the processor has started its kernels: then the processor is what is
timed. So two batches are measured, how long the processor takes to start a pass is told beside each, and a third
"kernel", graph, replays the fused pass as a CUDA graph, which the processor starts at once.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import nn

from audioprune.cells import provenance
from audioprune.facts.mel import MEL_BINS
from audioprune.models.build import build_model
from audioprune.profiling.macs import count
from audioprune.profiling.rounds import DTYPES, arithmetic
from audioprune.profiling.throughput import measure
from audioprune.profiling.timings import COLUMNS, summary
from benchmarks._parts.given import Given
from benchmarks._parts.rows import TIMED_OUT, Rows, Table

CLASSES, RATES = 50, (1.0, 0.7, 0.5)
LENGTHS = {64: 128, 256: 512, 512: 1024}  # tokens: frames
PRECISIONS = ("fp32", "tf32", "bf16")
TABLE = "speed.csv"
BATCH_TOKENS = (8192, 32768)  # tokens of a batch before the first block, on a GPU
WIDE = (
    "device", "backbone", "tokens", "frames", "kernel", "precision", "keep_rate", "batch_size", "runs",
    "samples_per_s", "samples_per_s_low", "samples_per_s_high", "speed_up", "mac_ratio", "speed_up_over_mac_ratio",
    "gmacs", "tflops", "peak_tflops", "share_of_peak", "launch_share", "peak_memory_mib",
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
    lengths = list(LENGTHS.items())[: 2 if given.quick else None]
    for kernel, (tokens, frames) in itertools.product(("fused", "eager", "graph"), lengths):
        model = build_model(
            backbone, frames=frames, num_classes=CLASSES, method="topk", keep_rate=min(RATES),
            kernel="eager" if kernel == "eager" else "fused",
        ).to(device).eval()  # fmt: skip
        for precision, batch in itertools.product(precisions, batches(kernel, tokens, cuda)):
            what = f"{backbone}, {tokens} tokens, batches of {batch}, {kernel}, {precision}"
            if kernel == "graph" and not cuda:
                rows.needs_cuda(what)
            elif given.left < 3 * cost + 5:
                rows.write(what, TIMED_OUT, note="no time was left for it")
            else:
                with rows.guarded(what):
                    begun = given.left
                    one = Setting(what, backbone, tokens, kernel, precision, batch, peaks[precision])
                    timed(given, rows, model, one, device)
                    cost = begun - given.left


def batches(kernel: str, tokens: int, cuda: bool) -> tuple[int, ...]:
    """Clips of a batch; a graph helps where the batch is small."""
    if not cuda:
        return (2,)
    return tuple(total // tokens for total in (BATCH_TOKENS[:1] if kernel == "graph" else BATCH_TOKENS))


@dataclass(frozen=True)
class Setting:
    """What one model is timed in, at all keep-rates in turn."""

    what: str
    backbone: str
    tokens: int
    kernel: str
    precision: str
    batch: int
    peak_tflops: float


def timed(given: Given, rows: Rows, model: nn.Module, one: Setting, device: torch.device) -> None:
    """A row for each keep-rate."""
    frames, batch = LENGTHS[one.tokens], one.batch
    warmup, runs = (1, 3) if given.quick else (3, 10) if device.type == "cuda" else (1, 5)
    x = torch.randn(batch, frames, MEL_BINS, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.inference_mode(), arithmetic(one.precision, device):
        work = Replayed(rows, model, x, one.what) if one.kernel == "graph" else model
        seconds = measure(
            work, frames=frames, batch_size=batch, keep_rates=RATES, warmup=warmup, runs=runs, precision=one.precision,
            device=device,
        )  # fmt: skip
        launches = {rate: launch_seconds(work, x, rate, device) for rate in RATES}
        memory = {rate: peak_memory(model, x, rate, device) for rate in RATES}
    timings = pd.DataFrame([(rate, one.kernel, turn, s) for rate, turn, s in seconds], columns=list(COLUMNS))
    whole = count(one.backbone, frames=frames, num_classes=CLASSES).total
    for row in summary(timings, batch).to_dict("records"):
        rate = row["keep_rate"]
        macs = count(one.backbone, frames=frames, num_classes=CLASSES, keep_rate=rate).total
        tflops = 2 * macs * row["samples_per_s"] / 1e12
        over, share = row["speed_up"] / (whole / macs), tflops / one.peak_tflops
        launch = min(1.0, launches[rate] / row["seconds"]) if device.type == "cuda" else None
        Table(given.out / TABLE, WIDE).add(
            device=provenance.device(), backbone=one.backbone, tokens=one.tokens, frames=frames, kernel=one.kernel,
            precision=one.precision, keep_rate=rate, batch_size=batch, mac_ratio=whole / macs, gmacs=macs / 1e9,
            speed_up_over_mac_ratio=over, tflops=tflops, peak_tflops=one.peak_tflops, share_of_peak=share,
            launch_share=launch, peak_memory_mib=memory[rate],
            **{name: row[name] for name in WIDE if name in row and name != "keep_rate"},
        )  # fmt: skip
        note = f"{row['speed_up']:.2f} x unpruned, {over:.2f} of the MACs' ratio, {share:.0%} of the peak"
        if launch is not None:
            note += f", the processor starts it in {launch:.0%} of the time"
        rows.add(f"{one.what}, keep-rate {rate:g}", row["samples_per_s"], "clips/s", note=note)


class Replayed(nn.Module):
    """A model's pass at each keep-rate as a CUDA graph: possible because the number of kept tokens is fixed."""

    def __init__(self, rows: Rows, model: nn.Module, x: torch.Tensor, what: str):
        super().__init__()
        self.keep_rate, self.graphs = 1.0, {}
        for rate in RATES:
            model.keep_rate = rate
            wanted = model(x).clone()
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):  # what is set up at a first call must not be captured
                model(x)
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                found = model(x)
            graph.replay()
            self.graphs[rate] = graph
            rows.add(f"{what}, keep-rate {rate:g}: replayed logits", torch.equal(found, wanted), equals=True)

    def forward(self, x: torch.Tensor) -> None:
        self.graphs[self.keep_rate].replay()


def launch_seconds(model: nn.Module, x: torch.Tensor, rate: float, device: torch.device) -> float:
    """Until the call returns, with an idle GPU before it: the median of three."""
    model.keep_rate, found = rate, []
    for _ in range(3):
        synchronise(device)
        started = time.perf_counter()
        model(x)
        found.append(time.perf_counter() - started)
    synchronise(device)
    return statistics.median(found)


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


def peak_memory(model: nn.Module, x: torch.Tensor, rate: float, device: torch.device) -> float | None:
    """MiB allocated at most during one forward pass, weights and input included; None on a CPU."""
    if device.type != "cuda":
        return None
    model.keep_rate = rate
    torch.cuda.reset_peak_memory_stats(device)
    model(x)
    return torch.cuda.max_memory_allocated(device) / 2**20
