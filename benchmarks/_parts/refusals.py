"""Deterministic mode's refusals in forward, backward and step of every model, method and kernel, by operation.

Each runs as in training, where a refusal is an error; what was refused runs once more with warnings instead, so that
all refusing operations are named and not the first alone.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from audioprune import registry
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.models.build import build_model
from audioprune.settings.training import Recipe
from audioprune.statistics.metrics import multi_hot
from audioprune.training.batches import Batches
from audioprune.training.device import autocast, prepare
from audioprune.training.finetune import LOSSES
from audioprune.training.masked import MaskedAutoencoder, random_visible
from audioprune.training.optim import build_optimizer
from benchmarks._parts import made
from benchmarks._parts.given import Given
from benchmarks._parts.rows import Rows
from benchmarks._parts.training import AUGMENT

RECIPE = Recipe(epochs=1, batch_size=8, drop_path=0.2)
REFUSAL = re.compile(r"(\S+) does not have a deterministic implementation")
OPTIONS: dict[str, tuple[dict, ...]] = {
    "topk": ({}, {"score": "global"}, {"score": "cls"}, {"score": "global_literal"}),
    "intensity": ({}, {"variant": "as_released"}),
    "variation": ({}, {"variant": "as_released"}),
    "tome": ({}, {"r": 4}, {"proportional": False}),
}


def run(given: Given, rows: Rows) -> None:
    device = prepare("audiomae-tiny")
    batches = data(given)
    precisions = ("fp32", "bf16", "fp16")
    with rows.guarded("the data path"):
        report(rows, "the data path", {"a batch with every augmentation": lambda: batches(0, 0)})
    x, keep = batches(0, 0).x, batches(0, 1).keep_patches
    for family in registry.families():
        for precision in precisions:
            for kernel in ("eager", "fused"):
                what = f"{family}, {kernel}, {precision}"
                if precision == "fp16" and device.type != "cuda":
                    rows.needs_cuda(what)
                    continue
                with rows.guarded(what):
                    report(rows, what, dict(trainings(given, family, kernel, precision, x, keep, device)))
    for precision in precisions[: None if device.type == "cuda" else 2]:
        with rows.guarded(f"masked autoencoder, {precision}"):
            work = autoencoder(given, precision, x, device)
            report(rows, f"masked autoencoder, {precision}", {"forward and backward": work})


def data(given: Given) -> Batches:
    cells = made.cells(given.scratch / "refusals", 24, 8)
    device = prepare("audiomae-tiny")
    waveforms = WaveformStore.open(cells["audio"], device=str(device))
    return Batches(
        FeatureStore.open(cells["features"]), waveforms, rows=np.arange(24), device=device, recipe=RECIPE,
        targets=multi_hot(list(waveforms.clips["labels"]), len(made.WORDS)), target=1.0, seed=0,
        augment=AUGMENT.model_copy(update={"roll": "time", "baseline": "paper"}),
    )  # fmt: skip


def size(given: Given) -> dict[str, int]:
    """A small model with heads of 64 channels, as ViT-B's: by them attention's implementation is chosen."""
    return {"depth": 3, "width": 64 if given.quick else 128, "num_heads": 1 if given.quick else 2}


def trainings(
    given: Given, family: str, kernel: str, precision: str, x: Tensor, keep: Tensor | None, device: torch.device
) -> Iterator[tuple[str, Callable[[], None]]]:
    """{what: one training step} of every method and option, with both losses, with and without masked patches."""
    for method in registry.names("pruning"):
        for options in OPTIONS.get(method, ({},)):
            model = build_model(
                f"{family}-b", frames=made.FRAMES, num_classes=len(made.WORDS), method=method, keep_rate=0.6,
                blocks=(0, 1), options=options, kernel=kernel, drop_path=0.2, **size(given),
            ).to(device).train()  # fmt: skip
            for loss, mask in (("ce", None), ("bce", keep)):

                def work(model=model, loss=loss, mask=mask) -> None:
                    optimizer = build_optimizer(model, RECIPE, model.layer_of, model.no_weight_decay(), model.depth)
                    targets = torch.full((len(x), len(made.WORDS)), 0.1, device=device)
                    with autocast(device, precision):
                        logits = model(x, keep_patches=mask)
                        value = LOSSES[loss](logits.float(), targets)
                    value.backward()
                    optimizer.step()

                shown = " ".join(map(str, options.values()))
                yield f"{method} {shown} {loss}{'' if mask is None else ' masked'}", work


def autoencoder(given: Given, precision: str, x: Tensor, device: torch.device) -> Callable[[], None]:
    encoder = build_model("audiomae-b", frames=made.FRAMES, num_classes=2, blocks=(), **size(given))
    model = MaskedAutoencoder(encoder, decoder_width=64, decoder_depth=2).to(device).train()
    visible = random_visible(encoder.tokens.patches, 0.8, len(x), torch.Generator().manual_seed(0)).to(device)

    def work() -> None:
        with autocast(device, precision):
            loss = model(x, visible)
        loss.backward()

    return work


def report(rows: Rows, what: str, works: dict[str, Callable[[], object]]) -> None:
    """One row: how many were refused, and by which operations."""
    refused: dict[str, list[str]] = {}
    for name, work in works.items():
        try:
            work()
        except RuntimeError as error:
            if "deterministic" not in str(error):
                raise
            for operation in {named(str(error)), *warned(work)}:
                refused.setdefault(operation, []).append(name.strip())
    note = "; ".join(f"{operation}: {', '.join(names)}" for operation, names in refused.items())
    total = len({name for names in refused.values() for name in names})
    rows.add(f"{what}: refused", total, f"of {len(works)}", equals=0, note=note)


def named(message: str) -> str:
    found = REFUSAL.search(message)
    return found[1] if found else message.split("\n")[0][:120]


def warned(work: Callable[[], object]) -> set[str]:
    """Every operation that says it is not deterministic, where that is a warning and no error."""
    torch.set_deterministic_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            work()
    finally:
        torch.set_deterministic_debug_mode("error")
    return {found[1] for one in caught if (found := REFUSAL.search(str(one.message)))}
