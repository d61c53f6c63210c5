"""The training loop, shared by pre-training and fine-tuning.

Letters: B clips, C classes. Epochs and steps count from 0. A step sees the total batch; every random draw in it is
seeded by (seed, epoch, step), so a resumed run and an uninterrupted one give the same bits on the same machine.
"""

from __future__ import annotations

import math
import time
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from audioprune.errors import UserError
from audioprune.models.family import Classifier
from audioprune.progress import Progress
from audioprune.settings.training import Recipe
from audioprune.training.batches import seed_of
from audioprune.training.device import autocast
from audioprune.training.history import COLUMNS
from audioprune.training.optim import set_learning_rate
from audioprune.training.resume import ResumePoint, catch_stop
from audioprune.training.schedules import keep_rate, learning_rate, shrunk

Weights = dict[str, Tensor]


@dataclass
class Trained:
    """Where a run stands; at its end, what it gives."""

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0  # of this epoch so far, weighted by clips
    clips: int = 0
    elapsed: float = 0.0  # s, over all attempts
    history: list[dict] = field(default_factory=list)  # a row of COLUMNS for each epoch
    best: dict[str, dict] = field(default_factory=dict)  # best_test, best_val: {epoch, metric, weights}


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    recipe: Recipe,
    seed: int,
    target: float,
    steps: int,
    batch_of: Callable[[int, int], Any],
    loss_of: Callable[[nn.Module, Any], tuple[Tensor, int]],
    evaluate: Callable[[], dict[str, float]] | None,
    point: ResumePoint,
    device: torch.device,
    name: str,
) -> Trained:
    """Train for recipe.epochs epochs of `steps` steps; the model is left with its last weights.

    batch_of(epoch, step) -> batch; loss_of(model, batch) -> (mean loss, clips); evaluate() -> {"test": metric, "val":
    metric}, in float32 at the target keep-rate. Raises UserError where the loss stops being finite, SystemExit after a
    signal, with a resume point written.
    """
    pruned = typing.cast(Classifier, model)  # where the target is below 1
    scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
    cast = autocast(device, recipe.precision)
    parts = {"model": model, "optimizer": optimizer, "scaler": scaler}
    run = _resumed(point, parts)
    progress = Progress(name, recipe.epochs * steps, "steps", done=run.epoch * steps + run.step)
    pending: list[tuple[int, float, float, Tensor, int]] = []
    check_every = 1 if device.type == "cpu" else 20  # reading a loss makes the GPU wait
    started = time.monotonic() - run.elapsed
    epoch_started = time.monotonic()
    with catch_stop() as caught:
        for epoch in range(run.epoch, recipe.epochs):
            model.train()
            seen = run.clips  # of this epoch by an earlier attempt
            for step in range(run.step, steps):
                lr = learning_rate(recipe, epoch + step / steps, steps)
                rate = keep_rate(recipe, target, epoch + step / steps)
                set_learning_rate(optimizer, lr)
                if target < 1:
                    pruned.keep_rate = rate
                torch.manual_seed(seed_of(seed, "model", epoch, step))  # drop-path
                batch = batch_of(epoch, step)
                with cast:
                    loss, clips = loss_of(model, batch)
                optimizer.zero_grad(set_to_none=True)
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()

                pending.append((step, lr, rate, loss.detach(), clips))
                run.step = step + 1
                stop = caught["signal"] or point.due()
                if len(pending) >= check_every or run.step == steps or stop:
                    _settle(run, pending, point)
                progress.add(note=f"epoch {epoch + 1}, loss {run.loss_sum / max(run.clips, 1):.4f}")
                if stop and run.step < steps:
                    run.elapsed = time.monotonic() - started
                    _save(point, run, parts)
                    if caught["signal"]:
                        raise SystemExit(128 + caught["signal"])

            speed = (run.clips - seen) / max(time.monotonic() - epoch_started, 1e-9)
            found = {}
            if evaluate and _evaluated(recipe, epoch):
                if target < 1:
                    pruned.keep_rate = target
                found = evaluate()
                _keep_best(run, found, epoch, recipe, model)
            run.elapsed = time.monotonic() - started
            row = (epoch, (epoch + 1) * steps, lr, rate, run.loss_sum / run.clips, found.get("test"), found.get("val"))
            run.history.append(dict(zip(COLUMNS, (*row, round(speed, 1), round(run.elapsed, 2)), strict=True)))
            run.epoch, run.step, run.loss_sum, run.clips = epoch + 1, 0, 0.0, 0
            if point.due() or caught["signal"]:
                _save(point, run, parts)
            if caught["signal"] and run.epoch < recipe.epochs:
                raise SystemExit(128 + caught["signal"])
            epoch_started = time.monotonic()
    if target < 1:
        pruned.keep_rate = target
    return run


def _evaluated(recipe: Recipe, epoch: int) -> bool:
    last = epoch + 1 == recipe.epochs
    return last or (recipe.eval_every > 0 and shrunk(recipe, epoch) and (epoch + 1) % recipe.eval_every == 0)


def _keep_best(run: Trained, found: dict[str, float], epoch: int, recipe: Recipe, model: nn.Module) -> None:
    """Weights of the best evaluated epoch for each split; of equal ones the first or the last."""
    for split, metric in found.items():
        best = run.best.get(f"best_{split}")
        if best is None or metric > best["metric"] or (metric == best["metric"] and recipe.tie == "last"):
            run.best[f"best_{split}"] = {"epoch": epoch, "metric": metric, "weights": weights_of(model)}


def weights_of(model: nn.Module) -> Weights:
    """A copy of the model's weights in main memory."""
    return {name: value.detach().cpu().clone().contiguous() for name, value in model.state_dict().items()}


def _settle(run: Trained, pending: list, point: ResumePoint) -> None:
    """Read the losses of the last steps; a loss that is not finite ends the run."""
    for step, lr, rate, loss, clips in pending:
        value = float(loss)
        if not math.isfinite(value):
            raise UserError(
                f"the loss became {value} at epoch {run.epoch}, step {step} (learning rate {lr:.3g}, keep-rate "
                f"{rate:.4g}); last good resume point: {point.position}. Lower base_lr, lengthen the warm-up or use "
                "precision: fp32 in this run's recipe"
            )
        run.loss_sum += value * clips
        run.clips += clips
    pending.clear()


def _save(point: ResumePoint, run: Trained, parts: dict) -> None:
    point.save(vars(run) | {name: part.state_dict() for name, part in parts.items()})


def _resumed(point: ResumePoint, parts: dict) -> Trained:
    stored = point.load()
    if stored is None:
        return Trained()
    for name, part in parts.items():
        part.load_state_dict(stored[name])
    return Trained(**{name: stored[name] for name in vars(Trained())})
