"""Generated sounds as audio, features, model and trace cells, made by the steps themselves; their signal is known."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.torch import save_file

from audioprune import records
from audioprune.audio.features import mean_std, write_features
from audioprune.audio.store import WaveformStore, write_store
from audioprune.generators import sounds
from audioprune.models.build import build_model
from audioprune.settings.closed import Closed
from audioprune.settings.data import AudioSettings, GenerateSettings, UserFolder
from audioprune.settings.evaluation import ClustersSettings, TraceSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, Recipe
from audioprune.steps._run import Job
from audioprune.steps.clusters import clusters
from audioprune.steps.trace import trace

CLIPS, FRAMES, TRAIN = 20, 256, 4  # the first four clips are for training
PATCHES = FRAMES // 16 * 8
USER = UserFolder(folder="x", csv="x.csv", task="environmental", classes=("a", "b", "c"), frames=FRAMES)
_folders: list[TemporaryDirectory] = []  # kept until the tests end


def made(step, folder: Path, settings: Closed, inputs: dict[str, Path]) -> Path:
    """A cell as its step leaves it."""
    folder.mkdir(parents=True)
    results = step(Job(step.__name__, folder.name, "k", settings, inputs, folder, folder))
    records.write_json(folder / records.RECORD, {"settings": settings.model_dump(mode="json"), "results": results})
    return folder


@cache
def data() -> dict[str, Path]:
    """audio, features and clusters cells of the sounds, in one temporary folder."""
    _folders.append(TemporaryDirectory())
    root = Path(_folders[-1].name)
    made_clips = sounds.clips(GenerateSettings(generator="sounds", clips=CLIPS))

    def audio(job: Job) -> dict:
        split = {True: "train", False: "test"}
        rows = (
            (row | {"labels": [i % 3], "fold": 0, "split": split[i < TRAIN]}, wave)
            for i, (row, wave) in enumerate(made_clips)
        )
        write_store(job.out, rows)
        return {}

    def features(job: Job) -> dict:
        moments = write_features(job.out, WaveformStore.open(job.inputs["audio"]), FRAMES)
        mean, std = mean_std(moments, np.arange(CLIPS))
        records.write_json(job.out / "stats.json", {"mean": mean, "std": std})
        return {}

    audio_settings = AudioSettings(dataset="mine", user=USER)
    cells = {"audio": made(audio, root / "audio", audio_settings, {})}
    cells["features"] = made(features, root / "features", audio_settings, cells)
    settings = ClustersSettings(dataset="mine", tau=-0.1, sample=10)
    return cells | {"clusters": made(clusters, root / "clusters", settings, cells)}


@cache
def traced(backbone: str, method: str, keep_rate: float = 0.5, variant: str = "") -> Path:
    """A trace cell of a model with random weights."""
    cells = data()
    root = cells["audio"].parent / f"{backbone}-{method}-{keep_rate}{variant}"
    pruning = Pruning(method=method, keep_rate=keep_rate, options={"variant": variant} if variant else {})
    recipe = Recipe(epochs=1, batch_size=4)

    def finetune(job: Job) -> dict:
        model = build_model(backbone, frames=FRAMES, num_classes=3, seed=7)
        save_file(model.state_dict(), job.out / "last.safetensors")
        return {}

    tuned = FinetuneSettings(model=Model(backbone=backbone), dataset="mine", pruning=pruning, recipe=recipe)
    inputs = cells | {"finetune": made(finetune, root / "finetune", tuned, {})}
    return made(trace, root / "trace", TraceSettings(pruning=pruning), inputs)
