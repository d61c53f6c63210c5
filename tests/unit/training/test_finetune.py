"""Fine-tuning and evaluation on a dataset of tones, through the steps' own functions."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from audioprune.errors import UserError
from audioprune.settings.data import AudioSettings, UserFolder
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Pruning
from audioprune.settings.training import FinetuneSettings
from audioprune.statistics.metrics import metric_of, top1
from audioprune.steps._run import Job
from audioprune.steps.evaluate import evaluate
from audioprune.steps.finetune import finetune
from audioprune.training.evaluate import predict
from tests.fakes.tiny_training import FACTS, RECIPE, model, settings, stores, tuned

USER = UserFolder(folder="tones", csv="tones.csv", task="environmental", classes=("low", "high"), frames=32)
OVERFIT = RECIPE.model_copy(update={"epochs": 40, "drop_path": 0.0, "eval_every": 10})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    stores(folder)
    record = {"settings": AudioSettings(dataset="tones", user=USER).model_dump(mode="json")}
    (folder / "record.json").write_text(json.dumps(record))
    return folder


def history(out):
    return pd.read_csv(out / "history.csv")


@pytest.mark.parametrize("loss", ["ce", "bce"])
def test_sixteen_clips_are_learned_by_heart(store, tmp_path, loss):
    from dataclasses import replace

    results = tuned(store, tmp_path, recipe=OVERFIT, facts=replace(FACTS, loss=loss))
    curve = history(tmp_path)
    assert results["clips"] == {"train": 16, "val": 0, "test": 8}
    assert curve["train_loss"].iloc[-1] < 0.1 < 0.5 < curve["train_loss"].iloc[0]
    assert results["last"]["test_metric"] == curve["test_metric"].iloc[-1] == 1.0
    assert curve["test_metric"].notna().sum() == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best_test.safetensors",
        "history.csv",
        "last.safetensors",
    ]


def test_a_pruned_nested_run_keeps_the_best_of_each_split(store, tmp_path):
    pruning = Pruning(method="topk", keep_rate=0.5)
    recipe = OVERFIT.model_copy(
        update={"epochs": 12, "min_lr": 1e-4, "shrink_start": 2, "shrink_epochs": 4, "eval_every": 1}
    )
    results = tuned(store, tmp_path, recipe=recipe, pruning=pruning, split="nested")
    curve = history(tmp_path)
    assert results["clips"] == {"train": 14, "val": 2, "test": 8}  # one recording of two clips
    assert curve["keep_rate"].tolist()[:3] == [1, 1, 1]
    assert (curve["keep_rate"][6:] == 0.5).all()
    assert curve["test_metric"].isna().tolist() == curve["val_metric"].isna().tolist() == [True] * 6 + [False] * 6
    best = results["best_val"]
    assert best["epoch"] == curve["val_metric"][::-1].idxmax()  # the last of the best
    assert best["top1"] == curve["val_metric"].max()
    stored = model(0.5)
    stored.load_state_dict(load_file(tmp_path / "best_test.safetensors"))
    waveforms, features = stores(tmp_path / "again")
    scores = predict(stored, features, np.arange(16, 24), device=torch.device("cpu"))
    assert top1(scores, list(waveforms.clips["labels"][16:])) == results["best_test"]["top1"]


def step(kind, wanted, folder, out, inputs) -> dict:
    out.mkdir(parents=True)
    job = Job(kind, "tones", "key", wanted, inputs, out, out.parent / f"{out.name}-resume")
    results = (finetune if kind == "finetune" else evaluate)(job)
    (out / "record.json").write_text(json.dumps({"settings": wanted.model_dump(mode="json"), "results": results}))
    return results


def test_steps_leave_predictions_from_which_the_metric_follows(store, tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 3, "warmup_epochs": 0, "base_lr": 1e-3})
    wanted = settings(recipe=recipe, pruning=Pruning(method="topk", keep_rate=0.7), initial="scratch")
    data = {"audio": store, "features": store}
    trained = step("finetune", wanted, store, tmp_path / "tuned", data)
    inputs = data | {"finetune": tmp_path / "tuned"}
    own = EvaluateSettings(pruning=wanted.pruning)
    results = step("evaluate", own, store, tmp_path / "own", inputs)
    table = pd.read_parquet(tmp_path / "own" / "predictions.parquet")
    assert list(table.columns) == ["clip", "recording", "speaker", "labels", "scores"]
    assert table["clip"].tolist() == [f"c{i}" for i in range(16, 24)]
    assert table["scores"][0].dtype == np.float32
    assert results == {
        "metric": "top1",
        "value": metric_of(table, "top1"),
        "n": 8,
        "selection": "last",
        "keep_rate": 0.7,
    }
    assert results["value"] == trained["last"]["test_metric"]

    # trained with one thing, evaluated with another
    step("evaluate", EvaluateSettings(pruning=Pruning(method="random", keep_rate=0.3)), store, tmp_path / "rnd", inputs)
    other = pd.read_parquet(tmp_path / "rnd" / "predictions.parquet")
    assert not np.allclose(np.stack(other["scores"]), np.stack(table["scores"]))
    with pytest.raises(UserError, match="selection 'best_val' was not stored"):
        step("evaluate", EvaluateSettings(selection="best_val"), store, tmp_path / "none", inputs)


def test_a_checkpoint_is_what_training_starts_from(store, tmp_path):
    from audioprune.models.build import build_model

    source = build_model("audiomae-tiny", frames=64, num_classes=7, seed=5)
    (tmp_path / "pretrained").mkdir()
    save_file(dict(source.state_dict()), tmp_path / "pretrained" / "checkpoint.safetensors")
    recipe = RECIPE.model_copy(update={"epochs": 1, "base_lr": 1e-12, "min_lr": 0.0, "warmup_epochs": 0})
    wanted = FinetuneSettings(model=settings().model, dataset="tones", recipe=recipe)
    data = {"audio": store, "features": store}
    with pytest.raises(UserError, match="starts from a checkpoint, but none"):
        step("finetune", wanted, store, tmp_path / "without", data)
    step("finetune", wanted, store, tmp_path / "with", data | {"checkpoint": tmp_path / "pretrained"})
    last = load_file(tmp_path / "with" / "last.safetensors")
    assert last["head.weight"].shape == (2, 64)
    torch.testing.assert_close(last["blocks.7.mlp.fc1.weight"], source.state_dict()["blocks.7.mlp.fc1.weight"])
