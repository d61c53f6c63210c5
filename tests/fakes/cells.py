"""A dataset of 12 clips and a fine-tuned model with random weights, as the cells of a study.

Eight clips are the test split; or the clips come in three folds, of which the model was tested on one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from audioprune import records
from audioprune.audio.store import write_store
from audioprune.models.build import build_model
from audioprune.settings.data import AudioSettings, UserFolder
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, Recipe

TEST = [1, 2, 4, 5, 7, 8, 10, 11]
FOLDS = {fold: [row for row in range(12) if (row + row // 4) % 3 + 1 == fold] for fold in (1, 2, 3)}  # no class a fold
SHAPE = {"frames": 128, "num_classes": 3, "seed": 7}


def cell(folder: Path, settings) -> Path:
    folder.mkdir(parents=True)
    records.write_json(folder / records.RECORD, {"settings": settings.model_dump(mode="json")})
    return folder


def model_of(backbone: str, **pruning) -> nn.Module:
    """The fine-tuned model with another pruning; its head is large enough for clips to differ."""
    model = build_model(backbone, **SHAPE, **pruning)
    generator = torch.Generator().manual_seed(1)
    weight = dict(model.named_parameters())[model.rules.head["head.weight"]]
    weight.data.copy_(torch.randn(weight.shape, generator=generator))
    return model.eval()


def inputs(
    folder: Path, backbone: str, pruning: Pruning, task: str = "keyword", fold: int = 0, **settings
) -> dict[str, Path]:
    """fold: 0, a fixed split; else the fold in which the model was tested. settings: others of the fine-tuning."""
    folds = 3 if fold else 1
    user = UserFolder(folder="x", csv="x.csv", task=task, classes=("a", "b", "c"), frames=128, folds=folds)
    audio = cell(folder / "audio", AudioSettings(dataset="mine", user=user))
    rng = np.random.default_rng(0)
    rows = [
        {
            "clip": f"c{i:02d}",
            "labels": [i % 3] if task == "keyword" else [i % 3, (i + i // 3) % 3],
            "split": "" if fold else "test" if i in TEST else "train",
            "fold": next(number for number, rows in FOLDS.items() if i in rows) if fold else 0,
            "recording": f"r{i // 2}",
        }
        for i in range(12)
    ]
    write_store(audio, [(row, rng.uniform(-0.1, 0.1, 400).astype(np.float32)) for row in rows])
    features = folder / "features"
    features.mkdir()
    levels = rng.normal(-5, 2, (12, 8, 8)).repeat(16, axis=1).repeat(16, axis=2)  # patches of all intensities
    np.save(features / "fbank.npy", (levels + rng.normal(0, 2, levels.shape)).astype(np.float32))
    np.save(features / "frames.npy", np.full(12, 128, dtype=np.int32))
    records.write_json(features / "stats.json", {"mean": -5.0, "std": 4.0})
    trained = FinetuneSettings(
        model=Model(backbone=backbone),
        dataset="mine",
        pruning=pruning,
        recipe=Recipe(epochs=1, batch_size=4),
        fold=fold or 1,
        **settings,
    )
    finetune = cell(folder / "finetune", trained)
    save_file(model_of(backbone).state_dict(), finetune / "last.safetensors")
    return {"audio": audio, "features": features, "finetune": finetune}
