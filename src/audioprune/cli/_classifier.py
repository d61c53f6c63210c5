"""A classifier to ask, from a cell of a study or from a checkpoint: its model, what normalises its input, its labels.

A cell says all of it: its weights, its dataset's labels, and the mean and standard deviation that it was trained with.
For a checkpoint the dataset or the options of the command say it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from audioprune import library, records, registry
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.cells.cell import RESULTS
from audioprune.errors import UserError
from audioprune.facts.checks import check_keep_rate
from audioprune.facts.dataset import Dataset
from audioprune.fingerprints.keyed import with_defaults
from audioprune.models.family import Classifier
from audioprune.models.weights import read_checkpoint
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Pruning
from audioprune.settings.training import FinetuneSettings
from audioprune.sources.checkpoints import kind_of
from audioprune.sources.of_cell import facts_of, finetuned
from audioprune.training.splits import rows_of

CELLS = RESULTS / "cells"


@dataclass(frozen=True)
class Given:
    """What the command line says beside the model; None: nothing."""

    backbone: str | None = None
    dataset: str | None = None
    frames: int | None = None
    mean: float | None = None
    std: float | None = None
    labels: Path | None = None
    method: str | None = None
    keep_rate: float | None = None
    multi_label: bool | None = None  # whether a clip may have several labels

    def pruning(self, own: Pruning) -> Pruning:
        """The model's own, or another one at the blocks that it has."""
        if self.method is None and self.keep_rate is None:
            return own
        method = self.method or ("topk" if own.method == "none" else own.method)
        if method not in (valid := registry.names("pruning")):
            raise UserError(f"no pruning method named {method!r}{registry.nearest(method, valid)}")
        keep_rate = own.keep_rate if self.keep_rate is None else check_keep_rate(self.keep_rate)
        options = own.options if method == own.method else {}
        return Pruning(method=method, keep_rate=keep_rate, blocks=own.blocks, options=options)


@dataclass(frozen=True)
class Asked:
    """A model that can be asked for labels."""

    name: str
    model: Classifier
    backbone: str
    pruning: Pruning
    labels: tuple[str, ...]
    normalised: Mapping[str, Any]  # how: `dataset`, or `mean` and `std`, of library.fbank
    several: bool  # whether a clip may have several labels

    @torch.inference_mode()
    def scores(self, x: torch.Tensor) -> list[float]:
        """One clip (1, F, 128) -> a score of every label: probabilities that sum to 1, or of each label by itself."""
        logits = self.model(x)[0].float()
        return (logits.sigmoid() if self.several else logits.softmax(0)).tolist()


def asked(name: str, given: Given) -> Asked:
    """A cell by path or by kind and address, or the file of a checkpoint; raises UserError where it is neither."""
    path = Path(name).expanduser()
    if path.is_file() and not (path.parent / records.RECORD).is_file():
        return _of_checkpoint(path, given)
    if path.is_file():
        return _of_cell(path.parent, given, None if path.name == records.RECORD else path.stem)
    return _of_cell(_folder(name), given, None)


def _folder(name: str) -> Path:
    """The folder of a made cell; of several at one address none is meant."""
    wanted = name.removeprefix(f"{CELLS}/").strip("/")
    for folder in (Path(name), CELLS / wanted):
        if (folder / records.RECORD).is_file():
            return folder
    found = sorted(record.parent for record in (CELLS / wanted).glob(f"*/{records.RECORD}"))
    if not found:
        raise UserError(
            f"{name} is neither a checkpoint nor a cell that was made: name a file, or a fine-tuning such as "
            f"finetune/audiomae-tiny/esc10/topk-kr0.5/fold1-seed0 (`audioprune status STUDY --all` lists them)"
        )
    if len(found) > 1:
        raise UserError(f"{name} was made {len(found)} times: name one of {', '.join(map(str, found))}")
    return found[0]


def _of_cell(folder: Path, given: Given, selection: str | None) -> Asked:
    """A fine-tuning with its last weights, or an evaluation with its own pruning and weights."""
    if given.backbone or given.dataset or given.frames or given.multi_label:
        raise UserError(
            f"{folder} says itself what it is: --backbone, --dataset, --frames and --multi-label are about a checkpoint"
        )
    record = records.read(folder)
    if record["kind"] == "evaluate":
        own = EvaluateSettings(**with_defaults(EvaluateSettings, record["settings"]))
        if own.perturbation != "none":
            raise UserError(f"{folder} is a perturbation test: name another evaluation, or its fine-tuning")
        tuned = CELLS / "finetune" / Path(record["address"]).parent.parent / record["inputs"]["finetune"]
        trained = finetuned(tuned)
        pruning, selection = own.pruning, own.selection
    elif record["kind"] == "finetune":
        tuned, trained = folder, finetuned(folder)
        pruning, selection = trained.pruning, selection or "last"
    else:
        raise UserError(f"{folder} is of the kind {record['kind']}: name a fine-tuning or an evaluation")
    inputs = records.read(tuned)["inputs"]
    audio, features = (CELLS / kind / trained.dataset / inputs[kind] for kind in ("audio", "features"))
    built_in = trained.dataset in registry.names("datasets")
    facts = registry.dataset(trained.dataset) if built_in else facts_of(audio)
    pruning = given.pruning(pruning)
    model = _loaded(tuned / f"{selection}.safetensors", trained.model.backbone, pruning, facts.frames, trained)
    labels = _labels(given.labels, model) if given.labels else facts.classes
    normalised = _given_statistics(given) or _own_statistics(trained, facts, audio, features)
    several = facts.metric == "map"
    return Asked(str(folder), model, trained.model.backbone, pruning, labels, normalised, several)


def _own_statistics(trained: FinetuneSettings, facts: Dataset, audio: Path, features: Path) -> dict[str, Any]:
    """Published ones, else those of the clips that it was trained on."""
    if facts.mean is not None:
        return {"mean": facts.mean, "std": facts.std}
    if not (features / records.RECORD).is_file() or not (audio / records.RECORD).is_file():
        raise UserError(f"{features} or {audio}, which say what normalises its input, are gone: give --mean and --std")
    split = rows_of(WaveformStore.open(audio).clips, folds=facts.folds, fold=trained.fold, split=trained.split)
    fitted = FeatureStore.open(features).fitted(split.train)
    return {"mean": fitted.mean, "std": fitted.std}


def _given_statistics(given: Given) -> dict[str, Any]:
    return {} if given.mean is None and given.std is None else {"mean": given.mean, "std": given.std}


def _of_checkpoint(path: Path, given: Given) -> Asked:
    """Its family is read off its tensors; its head, which must be there, says how many labels there are."""
    facts = None if given.dataset is None else _built_in(given.dataset)
    if facts is not None and given.multi_label:
        raise UserError(
            f"--multi-label: {given.dataset} says itself whether its clips have several labels: leave it out"
        )
    if facts is None and given.frames is None:
        raise UserError(f"{path}: give --dataset, or --frames: how long were the clips that it was trained on?")
    pruning = given.pruning(Pruning())
    backbone = given.backbone or _family(path)
    frames = given.frames or (facts.frames if facts else 0)
    model = _loaded(path, backbone, pruning, frames, None)
    if given.labels is None and (facts is None or not facts.classes):
        raise UserError(f"{path}: a checkpoint does not name its labels: give --dataset, or --labels, one name a line")
    labels = _labels(given.labels, model) if given.labels else facts.classes if facts else ()
    if len(labels) != (classes := _classes(model)):
        raise UserError(f"{path} has a head of {classes} classes, and {given.dataset} has {len(labels)}: give --labels")
    normalised = _given_statistics(given) or {"dataset": given.dataset}
    several = bool(given.multi_label) if facts is None else facts.metric == "map"
    return Asked(str(path), model, backbone, pruning, labels, normalised, several)


def _built_in(name: str) -> Dataset:
    if name not in registry.names("datasets"):
        raise UserError(
            f"no dataset named {name!r}{registry.nearest(name, registry.names('datasets'))} (of a dataset of your own: "
            "name a cell, or give --frames, --labels, --mean and --std)"
        )
    return registry.dataset(name)


def _family(path: Path) -> str:
    state, _ = read_checkpoint(path)
    kind = kind_of({key: tuple(value.shape) for key, value in state.items()})
    if not kind.family:
        raise UserError(f"{path} is {kind.words}: no backbone here takes it")
    return kind.family


def _loaded(path: Path, backbone: str, pruning: Pruning, frames: int, trained: FinetuneSettings | None) -> Classifier:
    """With its own head, whatever its number of classes; a cell says the number of attention heads, too."""
    heads = None if trained is None else registry.backbone(backbone).size.num_heads
    stride = None if trained is None else trained.model.stride
    options: dict[str, Any] = dict(pruning.options)
    return library.load_model(
        backbone, path, frames=frames, num_classes=None, num_heads=heads, method=pruning.method,
        keep_rate=pruning.keep_rate, blocks=pruning.blocks, stride=stride, **options,
    )  # fmt: skip


def _classes(model: Classifier) -> int:
    return int(model.state_dict()[model.rules.head["head.weight"]].shape[0])


def _labels(path: Path, model: Classifier) -> tuple[str, ...]:
    """One name a line in the order of the head's outputs, or a JSON list of them."""
    try:
        text = path.expanduser().read_text(encoding="utf-8")
        names = json.loads(text) if path.suffix == ".json" else [line for line in text.splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{path} is no list of names")
    if len(names) != (classes := _classes(model)):
        raise UserError(f"{path} names {len(names)} labels, and the model's head has {classes}")
    return tuple(name.strip() for name in names)
