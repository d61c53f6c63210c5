"""The loop: it learns, follows its schedules, chooses weights, and stops on a loss that is not finite."""

from __future__ import annotations

import csv
import math

import pytest
import torch
from torch import nn

from audioprune.errors import UserError
from audioprune.settings.training import Recipe
from audioprune.training.history import COLUMNS, write_history
from audioprune.training.loop import train
from audioprune.training.optim import build_optimizer
from audioprune.training.resume import ResumePoint
from audioprune.training.schedules import keep_rate, learning_rate
from tests.fakes.tiny_training import RECIPE

CPU = torch.device("cpu")


class Line(nn.Module):
    """y = w x, with the keep-rates it was trained at."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.seen = []

    def forward(self, x):
        self.seen.append(getattr(self, "keep_rate", None))
        return self.weight * x


def run(tmp_path, recipe: Recipe, *, target=1.0, evaluate=None, loss_at=None, save_every_s=60.0, line=None, steps=3):
    line = line or Line()

    def loss_of(model, batch):
        _, step = batch
        x = torch.tensor([1.0, 2.0]) + step
        loss = ((model(x) - 3 * x) ** 2).mean()
        return (loss * loss_at[batch] if loss_at and batch in loss_at else loss), 2 + step

    trained = train(
        line,
        build_optimizer(line, recipe, lambda name: 13, set(), 12),
        recipe=recipe,
        seed=0,
        target=target,
        steps=steps,
        batch_of=lambda epoch, step: (epoch, step),
        loss_of=loss_of,
        evaluate=evaluate,
        point=ResumePoint(tmp_path / "resume", "key", save_every_s),
        device=CPU,
        name="line",
    )
    return line, trained


def test_it_learns_and_follows_its_schedules(tmp_path):
    recipe = RECIPE.model_copy(
        update={"epochs": 60, "base_lr": 0.3, "weight_decay": 0.0, "shrink_start": 10, "shrink_epochs": 20}
    )
    line, trained = run(tmp_path, recipe, target=0.5)
    assert line.weight.item() == pytest.approx(3, abs=0.01)
    assert trained.history[-1]["train_loss"] < 1e-3 < trained.history[0]["train_loss"]
    for epoch, row in enumerate(trained.history):
        assert (row["epoch"], row["step"]) == (epoch, 3 * (epoch + 1))
        assert row["lr"] == learning_rate(recipe, epoch + 2 / 3, 3)
        assert row["keep_rate"] == keep_rate(recipe, 0.5, epoch)
        assert line.seen[3 * epoch : 3 * epoch + 3] == [row["keep_rate"]] * 3
    assert line.keep_rate == 0.5


def test_the_epoch_s_loss_is_weighted_by_clips(tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 1, "base_lr": 1e-12})
    _, trained = run(tmp_path, recipe, steps=2)
    first, second = 9 * (1 + 4) / 2, 9 * (4 + 9) / 2  # at w = 0: mean of (3 x)^2 over x = 1, 2 and over x = 2, 3
    assert trained.history[0]["train_loss"] == pytest.approx((2 * first + 3 * second) / 5, rel=1e-5)


def metrics(values):
    found = iter(values)
    return lambda: {"test": next(found)}


@pytest.mark.parametrize(("tie", "epoch"), [("first", 3), ("last", 5)])
def test_best_among_epochs_after_shrinking(tmp_path, tie, epoch):
    recipe = RECIPE.model_copy(update={"epochs": 7, "tie": tie, "shrink_start": 1, "shrink_epochs": 2})
    line, trained = run(tmp_path, recipe, target=0.5, evaluate=metrics([0.95, 0.9, 0.95, 0.1]))
    # epochs 3 to 6 are evaluated: 0.95, 0.9, 0.95, 0.1
    assert [row["test_metric"] for row in trained.history] == [None, None, None, 0.95, 0.9, 0.95, 0.1]
    best = trained.best["best_test"]
    assert (best["epoch"], best["metric"]) == (epoch, 0.95)
    assert best["weights"]["weight"].item() != line.weight.item()  # a copy of its time


def test_evaluations_are_rare_on_demand_and_never_left_out_at_the_end(tmp_path):
    for every, wanted in ((3, [2, 5, 7]), (0, [7])):
        recipe = RECIPE.model_copy(update={"epochs": 8, "eval_every": every})
        _, trained = run(tmp_path / str(every), recipe, evaluate=lambda: {"test": 0.5, "val": 0.25})
        assert [row["epoch"] for row in trained.history if row["test_metric"] is not None] == wanted
        assert trained.history[-1]["val_metric"] == 0.25
        assert set(trained.best) == {"best_test", "best_val"}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_with_what_is_needed_to_go_on(tmp_path, value):
    recipe = RECIPE.model_copy(update={"shrink_start": 0, "shrink_epochs": 4})
    with pytest.raises(UserError) as caught:
        run(tmp_path, recipe, target=0.5, loss_at={(2, 1): value}, save_every_s=0)
    message = str(caught.value)
    lr, rate = learning_rate(recipe, 2 + 1 / 3, 3), keep_rate(recipe, 0.5, 2)
    assert f"the loss became {value} at epoch 2, step 1 (learning rate {lr:.3g}, keep-rate {rate:.4g})" in message
    assert f"last good resume point: epoch 2, step 1 in {tmp_path / 'resume' / 'point.pt'}" in message
    with pytest.raises(UserError, match="last good resume point: none yet"):
        run(tmp_path / "rarely", recipe, loss_at={(0, 2): value})


def test_fp16_is_refused_without_a_gpu(tmp_path):
    with pytest.raises(UserError, match="precision fp16 needs a CUDA GPU"):
        run(tmp_path, RECIPE.model_copy(update={"precision": "fp16"}))


def test_history_csv(tmp_path):
    row = dict.fromkeys(COLUMNS, 0.5) | {"epoch": 0, "step": 7, "lr": 1e-3, "val_metric": None}
    write_history(tmp_path / "history.csv", [row])
    with open(tmp_path / "history.csv", newline="") as f:
        header, values = list(csv.reader(f))
    assert tuple(header) == COLUMNS
    assert values == ["0", "7", "0.001", "0.5", "0.5", "0.5", "", "0.5", "0.5"]


def test_evaluation_and_the_model_left_are_at_the_target_though_the_keep_rate_has_not_come_down_to_it(tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 2, "shrink_start": 0, "shrink_epochs": 10})
    line, seen = Line(), []

    def evaluate():
        seen.append(line.keep_rate)
        return {"test": 0.5}

    run(tmp_path / "evaluated", recipe, target=0.5, evaluate=evaluate, line=line)
    assert seen == [0.5]  # after the last epoch, in which it was trained at more
    assert 0.5 < line.seen[-1] < 1
    left, _ = run(tmp_path / "not", recipe, target=0.5)
    assert left.keep_rate == 0.5
