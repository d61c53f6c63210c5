"""fp16 with its gradient scaler, losses that are not finite, and evaluation in float32 after mixed precision."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.settings.training import Recipe
from audioprune.statistics.metrics import multi_hot
from audioprune.training.batches import Batches
from audioprune.training.device import prepare
from audioprune.training.evaluate import predict
from audioprune.training.finetune import LOSSES
from audioprune.training.loop import Trained, train, weights_of
from audioprune.training.optim import build_optimizer
from audioprune.training.resume import ResumePoint
from benchmarks._parts import made
from benchmarks._parts.given import Given
from benchmarks._parts.rows import Rows
from benchmarks._parts.training import AUGMENT

RECIPE = Recipe(epochs=3, batch_size=8, base_lr=1e-3, warmup_epochs=1, layer_decay=1.0, drop_path=0.0)
OVERFLOWS = (1, 2)  # epoch and step whose loss is finite, and whose scaled gradients are not in fp16
FACTOR = 1e4
LOSS = 0.05  # of about 2.3: the same batches in fp16 and in float32


class Watched:
    """A training by the project's own loop whose losses are changed and whose weights are looked at."""

    def __init__(self, cells: dict[str, Path], out: Path, precision: str, factors: dict[tuple[int, int], float]):
        self.device = prepare("audiomae-tiny")
        self.waveforms = WaveformStore.open(cells["audio"], device=str(self.device))
        self.features = FeatureStore.open(cells["features"])
        self.recipe = RECIPE.model_copy(update={"precision": precision})
        self.factors, self.out, self.before = factors, out, {}
        self.model = build_model(
            "audiomae-tiny", frames=made.FRAMES, num_classes=len(made.WORDS), method="topk", keep_rate=0.5
        ).to(self.device)

    def run(self) -> Trained:
        batches = Batches(
            self.features,
            self.waveforms,
            rows=np.arange(48),
            targets=multi_hot(list(self.waveforms.clips["labels"]), len(made.WORDS)),
            augment=AUGMENT,
            recipe=self.recipe,
            target=0.5,
            seed=0,
            device=self.device,
        )

        def batch_of(epoch: int, step: int):
            self.before[epoch, step] = weights_of(self.model)
            return batches(epoch, step), self.factors.get((epoch, step), 1.0)

        def loss_of(model: nn.Module, given) -> tuple[torch.Tensor, int]:
            batch, factor = given
            logits = model(batch.x, keep_patches=batch.keep_patches)
            return factor * LOSSES["ce"](logits.float(), batch.y), len(batch.x)

        return train(
            self.model,
            build_optimizer(self.model, self.recipe, self.model.layer_of, self.model.no_weight_decay(), 12),
            recipe=self.recipe,
            seed=0,
            target=0.5,
            steps=batches.steps,
            batch_of=batch_of,
            loss_of=loss_of,
            evaluate=None,
            point=ResumePoint(self.out, "check", 0),
            device=self.device,
            name="scaler",
        )

    def unchanged(self, epoch: int, step: int) -> bool:
        """Whether the step left every weight as it was."""
        one, other = self.before[epoch, step], self.before[epoch, step + 1]
        return all(torch.equal(one[name], other[name]) for name in one)


def run(given: Given, rows: Rows) -> None:
    folder = given.scratch / "scaler"
    cells = made.cells(folder, 48, 16)
    cuda = torch.cuda.is_available()
    if cuda:
        with rows.guarded("fp16: a loss that overflows"):
            overflow(rows, cells, folder)
    else:
        rows.needs_cuda("fp16: a loss that overflows, and the scaler")
    for precision in ("fp32", "bf16", "fp16"):
        if precision == "fp16" and not cuda:
            rows.needs_cuda("fp16: a loss that stays infinite, and float32 after fp16")
            continue
        with rows.guarded(f"{precision}: a loss that stays infinite"):
            endless(rows, cells, folder, precision)
        with rows.guarded(f"{precision}: float32 afterwards"):
            afterwards(rows, cells, folder, precision)


def overflow(rows: Rows, cells: dict[str, Path], folder: Path) -> None:
    plain = Watched(cells, folder / "plain", "fp16", {})
    losses = [one.run().history[-1]["train_loss"] for one in (plain, Watched(cells, folder / "exact", "fp32", {}))]
    apart = abs(losses[0] - losses[1])
    rows.add(
        "fp16: loss of the third epoch against float32's", apart, "difference", at_most=LOSS, note=f"{losses[1]:.4f}"
    )
    watched = Watched(cells, folder / "overflow", "fp16", {OVERFLOWS: FACTOR})
    loss = watched.run().history[OVERFLOWS[0]]["train_loss"]
    rows.add("fp16: the loss that overflows is finite itself", math.isfinite(loss), equals=True)
    rows.add("fp16: its step is skipped", watched.unchanged(*OVERFLOWS), equals=True)
    epoch, step = OVERFLOWS
    rows.add("fp16: the next step is not", watched.unchanged(epoch, step + 1), equals=False)
    scales = [scale_of(one.out) for one in (plain, watched)]
    rows.add("fp16: the scale has fallen", scales[1] / scales[0], "of the plain run's", at_most=0.5)


def scale_of(folder: Path) -> float:
    """The gradient scaler's scale in the last resume point."""
    return float(torch.load(folder / "point.pt", weights_only=True)["scaler"]["scale"])


def endless(rows: Rows, cells: dict[str, Path], folder: Path, precision: str) -> None:
    bad = {(epoch, step): math.inf for epoch in range(1, 3) for step in range(6)}
    told = "no error"
    try:
        Watched(cells, folder / f"endless-{precision}", precision, bad).run()
    except UserError as error:
        told = str(error)
    right = told.startswith("the loss became inf at epoch 1, step 0")
    rows.add(f"{precision}: a loss that stays infinite is told", right, equals=True, note=told.partition(";")[0])


def afterwards(rows: Rows, cells: dict[str, Path], folder: Path, precision: str) -> None:
    watched = Watched(cells, folder / f"after-{precision}", precision, {})
    watched.run()
    model, device, test = watched.model, watched.device, np.arange(48, 64)
    kinds = {str(value.dtype) for value in model.state_dict().values() if value.is_floating_point()}
    rows.add(f"{precision}: weights afterwards", ", ".join(sorted(kinds)), equals="torch.float32")
    rows.add(f"{precision}: autocast afterwards", torch.is_autocast_enabled(device.type), equals=False)
    one, two = (predict(model, watched.features, test, device=device) for _ in range(2))
    rows.add(f"{precision}: evaluated twice, same bytes", one.tobytes() == two.tobytes(), equals=True)
    there = predict(model.cpu(), watched.features, test, device=torch.device("cpu"))
    off = float(np.abs(one - there).max())
    rows.add(f"{precision}: float32 logits against the CPU", off, "max abs difference", at_most=1e-3)
