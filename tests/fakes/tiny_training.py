"""A store of tones and a model small enough to train in a second, for the tests of training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from audioprune.audio.features import FeatureStore, write_features
from audioprune.audio.store import WaveformStore, write_store
from audioprune.facts.dataset import Dataset
from audioprune.models.build import build_model
from audioprune.settings.model import Model
from audioprune.settings.training import FinetuneSettings, Recipe
from audioprune.training.device import prepare
from audioprune.training.finetune import finetune

FRAMES = 32
FACTS = Dataset("tones", "keyword", ("low", "high"), FRAMES)
RECIPE = Recipe(
    epochs=4, batch_size=5, base_lr=3e-3, warmup_epochs=1, layer_decay=1.0, drop_path=0.1, weight_decay=0.05
)


def stores(folder: Path, clips: int = 24, test: int = 8, folds: int = 1) -> tuple[WaveformStore, FeatureStore]:
    """Clips of 0.34 s: a low or a high tone in noise; the last `test` of them are the test split, unless folded."""
    draw = np.random.default_rng(0)

    def rows():
        for i in range(clips):
            hertz = (400, 2500)[i % 2] * draw.uniform(0.9, 1.1)
            tone = np.sin(2 * np.pi * hertz * np.arange(5440 + i) / 16000)
            wave = (0.1 * tone + 0.03 * draw.standard_normal(len(tone))).astype(np.float32)
            split = "" if folds > 1 else ("train" if i < clips - test else "test")
            fold = i // 2 % folds + 1 if folds > 1 else 0
            yield (
                {"clip": f"c{i:02d}", "labels": [i % 2], "split": split, "fold": fold, "recording": f"r{i // 2}"},
                wave,
            )

    folder.mkdir(parents=True, exist_ok=True)
    write_store(folder, rows())
    store = WaveformStore.open(folder)
    write_features(folder, store, FRAMES)
    (folder / "stats.json").write_text(json.dumps({"mean": -6.0, "std": 3.0}))
    return store, FeatureStore.open(folder)


def model(keep_rate: float = 1.0, *, family: str = "audiomae", drop_path: float = 0.0, classes: int = 2) -> nn.Module:
    return build_model(
        f"{family}-tiny",
        frames=FRAMES,
        num_classes=classes,
        method="topk",
        keep_rate=keep_rate,
        blocks=(1,),
        width=16,
        depth=3,
        num_heads=2,
        drop_path=drop_path,
    )


def settings(**changed) -> FinetuneSettings:
    recipe = changed.pop("recipe", RECIPE)
    return FinetuneSettings(model=Model(backbone="audiomae-tiny"), dataset="tones", recipe=recipe, **changed)


def tuned(folder: Path, out: Path, *, facts: Dataset = FACTS, save_every_s: float = 60, **changed) -> dict:
    """Fine-tune on the store in `folder`; resume points go to out/resume."""
    device = prepare("audiomae-tiny")
    wanted = settings(**changed)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)  # must not matter
    return finetune(
        wanted,
        model(wanted.pruning.keep_rate, drop_path=wanted.recipe.drop_path).to(device),
        facts=facts,
        waveforms=WaveformStore.open(folder),
        features=FeatureStore.open(folder),
        out=out,
        resume=out / "resume",
        key="key",
        device=device,
        save_every_s=save_every_s,
    )
