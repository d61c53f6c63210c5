"""What a training run leaves behind: its history, and the weights of the last and of the best epochs."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from audioprune import records
from audioprune.training.history import write_history
from audioprune.training.loop import Trained, weights_of


def write_outcome(out: Path, model: nn.Module, run: Trained, about: dict[str, str] | None = None) -> None:
    """history.csv, and `last` and the best ones as <selection>.safetensors, with `about` in their header."""
    write_history(out / "history.csv", run.history)
    stored = {"last": weights_of(model)} | {split: best["weights"] for split, best in run.best.items()}
    for selection, weights in stored.items():
        with records.atomic(out / f"{selection}.safetensors") as path:
            save_file(weights, path, about)
