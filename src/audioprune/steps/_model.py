"""Models for steps: built from a cell's settings, started from a checkpoint, or read back from a fine-tuning cell."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from audioprune import records
from audioprune.errors import UserError
from audioprune.facts.dataset import Dataset
from audioprune.models.build import build_model, load_checkpoint
from audioprune.models.family import Classifier
from audioprune.models.weights import read_checkpoint
from audioprune.settings.model import Pruning
from audioprune.settings.training import FinetuneSettings
from audioprune.sources.place import root_of


def model_for(
    settings: FinetuneSettings,
    facts: Dataset,
    frames: int,
    *,
    pruning: Pruning,
    kernel: str,
    drop_path: float = 0.0,
) -> Classifier:
    """A fresh model of a fine-tuning's shape, with this pruning."""
    if not facts.classes:
        raise UserError(f"{facts.name} has no classes: a classifier cannot be trained for {facts.task}")
    return build_model(
        settings.model.backbone,
        frames=frames,
        num_classes=facts.num_classes,
        method=pruning.method,
        keep_rate=pruning.keep_rate,
        blocks=pruning.blocks,
        options=pruning.options,
        patch=settings.model.patch,
        stride=settings.model.stride,
        kernel=kernel,
        drop_path=drop_path,
        seed=settings.seed,
    )


def start_from(model: Classifier, cell: Path) -> str:
    """Load the checkpoint of a pre-training or fetch cell, its head left out; returns the file's name."""
    path = checkpoint_file(cell)
    state, _ = read_checkpoint(path)
    load_checkpoint(model, state, source=path)
    return path.name


def checkpoint_file(cell: Path) -> Path:
    """What we pre-trained, or the one file of an official checkpoint's cell."""
    own = cell / "checkpoint.safetensors"
    if own.is_file():
        return own
    root = root_of(cell, records.read(cell)["settings"]["source"])
    files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    if len(files) != 1:
        raise UserError(f"{root} should hold one checkpoint and holds {len(files)} files; name the file in config.yaml")
    return files[0]


def load_finetuned(model: Classifier, cell: Path, selection: str) -> None:
    """Put a fine-tuning's stored weights into a model of its shape."""
    path = cell / f"{selection}.safetensors"
    if not path.is_file():
        stored = ", ".join(sorted(p.stem for p in cell.glob("*.safetensors")))
        raise UserError(
            f"selection {selection!r} was not stored by {cell}; it has {stored}. best_val needs a validation set: "
            "split: nested, or a dataset that comes with one"
        )
    model.load_state_dict(load_file(path))
