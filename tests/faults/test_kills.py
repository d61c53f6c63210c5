"""A fine-tuning that is killed, stopped or diverges: what is left, what is said, and the same bits in the end."""

from __future__ import annotations

import os
import signal

import torch

from audioprune.training.schedules import learning_rate

from ._chain import NO_POINTS, POINTS, RECIPE, Chain, ended, said


def test_sigkill_in_training_resumes_to_the_same_weights_and_predictions(undisturbed, chain):
    before = chain.left()
    killed = chain.start("finetune", POINTS)
    said(killed, "epoch 4 step 1")
    os.kill(killed.pid, signal.SIGKILL)
    ended(killed, -signal.SIGKILL)
    key = chain.cells["finetune"].key
    left = chain.left() - before
    assert f"logs/leases/{key}.0" in left
    assert f"resume/{key}/point.pt" in left
    assert not any(name.startswith(f"cells/finetune/tones/{key}/") for name in left)

    _, err = ended(chain.start("finetune"))
    assert f"was being made by process {killed.pid} on {os.uname().nodename}" in err
    assert "which has ended; going on in its place" in err
    assert "resuming from epoch" in err
    assert chain.files("finetune") == undisturbed.files("finetune")
    chain.make("evaluate")
    assert chain.files("evaluate") == undisturbed.files("evaluate")
    assert set(chain.files("evaluate")) == {"predictions.parquet"}
    assert chain.left() == undisturbed.left()  # no lease, no resume point, no scratch folder of the killed process


def test_sigterm_writes_a_resume_point_says_so_and_leaves(undisturbed, chain):
    before = chain.left()
    stopped = chain.start("finetune", NO_POINTS)  # the only one is that of the signal
    said(stopped, "epoch 4 step 1")
    os.kill(stopped.pid, signal.SIGTERM)
    _, err = ended(stopped, 128 + signal.SIGTERM)
    key = chain.cells["finetune"].key
    for text in (err, chain.log("finetune")):
        assert f"stopped by SIGTERM; run again, it goes on from results/resume/{key}" in text
    assert chain.left() - before == {f"resume/{key}/point.pt"}
    _, err = ended(chain.start("finetune"))
    assert "resuming from epoch 4, step " in err
    assert chain.files("finetune") == undisturbed.files("finetune")


def test_a_loss_that_is_not_finite_stops_with_all_that_is_needed(undisturbed, chain):
    recipe = RECIPE.model_copy(update={"base_lr": 1e18, "warmup_epochs": 0.0})
    diverging = Chain(chain.root, recipe)
    before = diverging.left()
    _, err = ended(diverging.start("finetune", POINTS), 1)
    point = diverging.point().relative_to(diverging.root)
    assert "the loss became nan at epoch 0, step " in err
    assert f"(learning rate {learning_rate(recipe, 1 / 3, 3):.3g}, keep-rate 1)" in err
    assert f"last good resume point: epoch 0, step 1 in {point}" in err
    assert "Lower base_lr" in err
    assert "Traceback" not in err
    settings = diverging.cells["finetune"].settings
    assert f'"base_lr":{settings.recipe.base_lr}' in diverging.log("finetune")
    assert diverging.left() - before == {f"resume/{diverging.cells['finetune'].key}/point.pt"}
    weights = torch.load(diverging.point(), weights_only=True)["model"]
    assert all(torch.isfinite(value).all() for value in weights.values())
