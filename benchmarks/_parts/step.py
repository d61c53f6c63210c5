"""A fine-tuning step of ViT-B with its whole data path: samples a second, and where the time goes."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from audioprune.audio.features import FeatureStore, write_features
from audioprune.audio.store import WaveformStore
from audioprune.models.build import build_model
from audioprune.settings.training import Augment, Recipe
from audioprune.training.batches import Batches
from audioprune.training.device import prepare
from audioprune.training.finetune import supervised
from audioprune.training.resume import ResumePoint
from benchmarks._parts import made
from benchmarks._parts.given import Given
from benchmarks._parts.rows import Rows, Table
from benchmarks._parts.speed import median_seconds

CLASSES, TOP = 527, 20
AUGMENT = Augment(magnitude=True, mixup=0.5, mask_2d=0.3, specaug_freq=48, specaug_time=192)  # AudioSet-20K's recipe
COLUMNS = ("precision", "rank", "operator", "calls", "self_device_ms", "self_cpu_ms", "share")
TABLE = "operators.csv"


def run(given: Given, rows: Rows) -> None:
    clips, batch = (8, 4) if given.quick else (128, 32 if memory_gib() >= 40 else 8)
    backbone, frames = ("audiomae-tiny", 256) if given.quick else ("audiomae-b", 1024)
    device = prepare(backbone)
    waveforms, features = stores(clips, frames, given.scratch / "step", device)
    for precision in ("fp32", "bf16", "fp16"):
        what = f"{backbone}, {frames} frames, batches of {batch}, {precision}"
        if precision == "fp16" and device.type != "cuda":
            rows.needs_cuda(what)
            continue
        with rows.guarded(what):
            recipe = Recipe(epochs=3, batch_size=batch, shrink_start=1, precision=precision)
            model = build_model(
                backbone, frames=frames, num_classes=CLASSES, method="topk", keep_rate=0.7, drop_path=0.1
            ).to(device)  # fmt: skip
            reset(device)
            speeds = train(model, recipe, waveforms, features, given.scratch / precision, device)
            memory = (
                f"at most {torch.cuda.max_memory_allocated(device) / 2**20:.0f} MiB" if device.type == "cuda" else ""
            )
            rows.add(f"{what}: first epoch, keep-rate 1", speeds[0], "samples/s", note="with warm-up, masks on")
            rows.add(f"{what}: last epoch, keep-rate 0.7", speeds[-1], "samples/s", note=memory)
            seconds = batch_seconds(batches_of(recipe, waveforms, features, device), device)
            rows.add(f"{what}: data path alone", batch / seconds, "samples/s", note=f"{1e3 * seconds:.1f} ms a batch")
            share = seconds * speeds[-1] / batch
            rows.add(f"{what}: data path's share of a step", share, "share of the time")
            operators(given, rows, what, model, recipe, waveforms, features, device)


def stores(clips: int, frames: int, folder: Path, device: torch.device) -> tuple[WaveformStore, FeatureStore]:
    """Clips of 10 s, resident on the device, and their features."""
    waves = (made.long_clips(clips) * 32767).astype(np.int16)
    length = waves.shape[1]
    table = pd.DataFrame({"clip": [f"c{i}" for i in range(clips)], "offset": np.arange(clips) * length})
    table = table.assign(length=length, labels=[[i % CLASSES] for i in range(clips)])
    folder.mkdir(parents=True)
    write_features(folder, WaveformStore(table, waves.reshape(-1)), frames)
    (folder / "stats.json").write_text('{"mean": -4.2677393, "std": 4.5689974}')
    return WaveformStore(table, waves.reshape(-1), str(device)), FeatureStore.open(folder)


def targets(clips: int) -> np.ndarray:
    return np.eye(CLASSES, dtype=np.float32)[np.arange(clips) % CLASSES]


def batches_of(recipe: Recipe, waveforms: WaveformStore, features: FeatureStore, device: torch.device) -> Batches:
    n = len(waveforms)
    return Batches(
        features, waveforms, rows=np.arange(n), targets=targets(n), augment=AUGMENT, recipe=recipe, target=0.7, seed=0,
        device=device,
    )  # fmt: skip


def batch_seconds(batches: Batches, device: torch.device) -> float:
    """Seconds for one batch of the second epoch."""
    steps = itertools.cycle(range(batches.steps))
    return median_seconds(lambda: batches(1, next(steps)), device, 5)


def train(
    model: nn.Module, recipe: Recipe, waveforms: WaveformStore, features: FeatureStore, out: Path, device: torch.device
) -> list[float]:
    """Samples a second of each epoch, as the project's own loop counts them."""
    n = len(waveforms)
    run = supervised(
        model, features=features, waveforms=waveforms, rows=np.arange(n), targets=targets(n), loss="bce",
        recipe=recipe, augment=AUGMENT, target=0.7, seed=0, evaluate=None, point=ResumePoint(out, "check", 1e6),
        device=device, name="step",
    )  # fmt: skip
    return [float(row["clips_per_s"]) for row in run.history]


def operators(
    given: Given,
    rows: Rows,
    what: str,
    model: nn.Module,
    recipe: Recipe,
    waveforms: WaveformStore,
    features: FeatureStore,
    device: torch.device,
) -> None:
    """The twenty operators that take most time in one more epoch at the target keep-rate, in operators.csv."""
    cuda = device.type == "cuda"
    once = recipe.model_copy(update={"epochs": 1, "shrink_start": 0})
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]) as profiler:
        train(model, once, waveforms, features, given.scratch / f"{recipe.precision}-profiled", device)
    found = profiler.key_averages()
    operations = [one for one in found if one.device_type == DeviceType.CPU]  # kernels stand beside what started them
    times = {one.key: one.self_device_time_total if cuda else one.self_cpu_time_total for one in operations}
    kernels = (one for one in found if one.device_type == DeviceType.CUDA and not one.is_user_annotation)
    total = max(sum(one.self_device_time_total for one in kernels) if cuda else sum(times.values()), 1)
    ranked = sorted(operations, key=lambda one: -times[one.key])[:TOP]
    for rank, one in enumerate(ranked, start=1):
        Table(given.out / TABLE, COLUMNS).add(
            precision=recipe.precision, rank=rank, operator=one.key[:120], calls=one.count,
            share=times[one.key] / total, self_device_ms=one.self_device_time_total / 1e3,
            self_cpu_ms=one.self_cpu_time_total / 1e3,
        )  # fmt: skip
    first = ranked[0]
    rows.add(f"{what}: largest operator", times[first.key] / total, "share of the time", note=first.key)


def memory_gib() -> float:
    """Of the GPU; 0 where there is none."""
    return torch.cuda.get_device_properties(0).total_memory / 2**30 if torch.cuda.is_available() else 0.0


def reset(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
