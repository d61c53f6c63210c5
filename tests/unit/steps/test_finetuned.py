"""What fine-tuning learns from, is measured on, stores and hands to its model, told apart by value.

Tones of which a third has the wrong label cannot be learned by heart; a scripted model is right as often as its epoch
and the split of the clips say, and carries its age in its weights.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from sklearn.metrics import average_precision_score

from audioprune.audio.features import FeatureStore, write_features
from audioprune.audio.patches import token_order
from audioprune.audio.store import WaveformStore, write_store
from audioprune.facts.dataset import Dataset
from audioprune.facts.tokens import Tokens
from audioprune.models.build import build_model
from audioprune.settings.data import AudioSettings, UserFolder
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import Augment, FinetuneSettings
from audioprune.steps import finetune as step
from audioprune.steps._run import Job
from audioprune.training.finetune import supervised
from audioprune.training.resume import ResumePoint
from tests.fakes.tiny_training import FACTS, FRAMES, RECIPE, model, settings, tuned

CPU = torch.device("cpu")
USER = UserFolder(folder="tones", csv="tones.csv", task="keyword", classes=("low", "high"), frames=FRAMES)
TAGS = Dataset("tags", "multilabel", ("low", "high", "late"), FRAMES, loss="bce", metric="map")
PARTS = {"train": 24, "val": 15, "test": 17}
SMALL = RECIPE.model_copy(update={"epochs": 8, "batch_size": 8, "drop_path": 0.0, "base_lr": 3e-3})
STILL = {"epochs": 1, "base_lr": 1e-12, "min_lr": 0.0, "warmup_epochs": 0, "drop_path": 0.0}  # learns nothing


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Clips of 0.34 s in the order of PARTS, a third of their labels wrong."""
    folder, draw = tmp_path_factory.mktemp("store"), np.random.default_rng(2)
    split = [part for part, clips in PARTS.items() for _ in range(clips)]

    def rows():
        for i, part in enumerate(split):
            hertz = (400, 2500)[i % 2] * draw.uniform(0.9, 1.1)
            wave = 0.1 * np.sin(2 * np.pi * hertz * np.arange(5440) / 16000) + 0.05 * draw.standard_normal(5440)
            label = i % 2 if draw.uniform() < 2 / 3 else 1 - i % 2
            yield {"clip": f"c{i:02d}", "labels": [label], "split": part, "recording": f"r{i}"}, wave

    write_store(folder, rows())
    write_features(folder, WaveformStore.open(folder), FRAMES)
    (folder / "stats.json").write_text(json.dumps({"mean": -6.0, "std": 3.0}))
    record = {"settings": AudioSettings(dataset="tones", user=USER).model_dump(mode="json")}
    (folder / "record.json").write_text(json.dumps(record))
    return folder


@pytest.fixture(scope="module")
def tagged(store, tmp_path_factory) -> Path:
    """The same clips with one or two of three tags each."""
    folder, clips = tmp_path_factory.mktemp("tagged"), WaveformStore.open(store)
    labels = [sorted({int(own[0]), (i // 3) % 3}) for i, own in enumerate(clips.clips["labels"])]
    rows = clips.clips[["clip", "split", "recording"]].to_dict("records")
    write_store(folder, ((row | {"labels": own}, clips.waveform(i)) for i, (row, own) in enumerate(zip(rows, labels))))
    for name in ("fbank.npy", "frames.npy", "stats.json"):
        (folder / name).symlink_to(store / name)
    return folder


def rows_of(part: str) -> np.ndarray:
    first = {"train": 0, "val": PARTS["train"], "test": PARTS["train"] + PARTS["val"]}[part]
    return np.arange(first, first + PARTS[part])


def targets(folder: Path, rows: np.ndarray, classes: int) -> np.ndarray:
    """(n, classes) 0 or 1."""
    labels = WaveformStore.open(folder).clips["labels"]
    return np.array([[float(c in labels[row]) for c in range(classes)] for row in rows], dtype=np.float32)


@torch.no_grad()
def logits(folder: Path, net: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
    return net.eval()(FeatureStore.open(folder).fbank(rows))


class Witness(torch.nn.Module):
    """A classifier that notes what it is given in training."""

    depth = 1

    def __init__(self, orientation: str = "time"):
        super().__init__()
        self.tokens = Tokens(1, orientation, FRAMES // 16, 8, "global")
        self.head = torch.nn.Linear(1, 2)
        self.decayed, self.undecayed = (torch.nn.Parameter(torch.ones(2, 2)) for _ in range(2))  # without a gradient
        self.register_buffer("batches", torch.zeros(1))  # seen in training: its age, stored with its weights
        self.seen: list[Seen] = []

    def layer_of(self, name: str) -> int:
        return 1

    def no_weight_decay(self) -> set[str]:
        return {"undecayed"}

    def forward(self, x, keep_patches=None):
        logits = self.head(x.mean((1, 2))[:, None]) + 0 * (self.decayed + self.undecayed).sum()
        if self.training:
            self.batches += 1
            rate = getattr(self, "keep_rate", None)
            self.seen.append(Seen(x, keep_patches, rate, logits.dtype, tuple(torch.rand(3).tolist())))
        return logits


class Seen(NamedTuple):
    x: torch.Tensor
    keep: torch.Tensor | None
    rate: float | None
    dtype: torch.dtype
    drawn: tuple[float, ...]  # from torch's own generator, as drop-path draws


class Scripted(Witness):
    """In evaluation it is right on the first clips of a split, on as many as RIGHT says of its epoch."""

    def __init__(self, store: Path):
        super().__init__()
        self.known = FeatureStore.open(store).fbank(np.arange(56))
        self.labels = targets(store, np.arange(56), 2)

    def forward(self, x, keep_patches=None):
        if self.training:
            return super().forward(x, keep_patches)
        rows = [int((self.known - clip).abs().amax((1, 2)).argmin()) for clip in x]
        epoch = int(self.batches) // 3 - 1
        right = {row for part, counts in RIGHT.items() for row in rows_of(part)[: counts[epoch]].tolist()}
        answers = [self.labels[row] if row in right else 1 - self.labels[row] for row in rows]
        return torch.tensor(np.stack(answers))


RIGHT = {"train": (24, 24, 24, 24), "val": (3, 12, 6, 9), "test": (8, 4, 13, 10)}  # clips, after each epoch


def test_each_set_of_weights_is_of_its_epoch_and_each_metric_of_its_clips(store, tmp_path):
    wanted = settings(recipe=SMALL.model_copy(update={"epochs": 4}), split="nested")
    results = step.training.finetune(
        wanted, Scripted(store), facts=FACTS, waveforms=WaveformStore.open(store), features=FeatureStore.open(store),
        out=tmp_path, resume=tmp_path / "resume", key="key", device=CPU,
    )  # fmt: skip
    curve = pd.read_csv(tmp_path / "history.csv")
    assert curve["val_metric"].tolist() == pytest.approx([3 / 15, 12 / 15, 6 / 15, 9 / 15])
    assert curve["test_metric"].tolist() == pytest.approx([8 / 17, 4 / 17, 13 / 17, 10 / 17])
    assert results["clips"] == PARTS
    assert results["metric"] == "top1"
    assert results["best_val"] == {"epoch": 1, "top1": 12 / 15}
    assert results["best_test"] == {"epoch": 2, "top1": 13 / 17}
    last = {"epoch": 3, "val_metric": 9 / 15, "test_metric": 10 / 17}
    assert results["last"] == last | {"train_loss": pytest.approx(curve["train_loss"].iloc[-1])}
    ages = {path.stem: int(load_file(path)["batches"]) for path in tmp_path.glob("*.safetensors")}
    assert ages == {"best_val": 6, "best_test": 9, "last": 12}  # three batches an epoch


@pytest.mark.parametrize("loss", ["ce", "bce"])
def test_the_loss_is_the_dataset_s_on_the_training_clips(store, tmp_path, loss):
    recipe = SMALL.model_copy(update=STILL | {"batch_size": 5})  # batches of 5, 5, 5, 5 and 4 clips
    results = tuned(store, tmp_path, facts=replace(FACTS, loss=loss), recipe=recipe)
    own, wanted = logits(store, model(), rows_of("train")), torch.from_numpy(targets(store, rows_of("train"), 2))
    by_hand = {
        "ce": -(wanted * own.log_softmax(1)).sum(1).mean(),
        "bce": -(wanted * F.logsigmoid(own) + (1 - wanted) * F.logsigmoid(-own)).mean(),
    }
    assert abs(by_hand["ce"] - by_hand["bce"]) > 1e-3
    assert results["last"]["train_loss"] == pytest.approx(float(by_hand[loss]), rel=1e-5)


def test_several_labels_are_scored_by_mean_average_precision(tagged, tmp_path):
    wanted = settings(recipe=SMALL.model_copy(update={"epochs": 2}), split="nested")
    net = model(classes=3)
    results = step.training.finetune(
        wanted, net, facts=TAGS, waveforms=WaveformStore.open(tagged), features=FeatureStore.open(tagged),
        out=tmp_path, resume=tmp_path / "resume", key="key", device=CPU,
    )  # fmt: skip
    for part in ("val", "test"):
        expected = average_precision_score(targets(tagged, rows_of(part), 3), logits(tagged, net, rows_of(part)))
        assert results["last"][f"{part}_metric"] == pytest.approx(expected)


def witnessed(store: Path, folder: Path, witness: Witness | None = None, *, seed=0, target=1.0, augment=None, **recipe):
    """What a witness saw in two epochs of three batches."""
    witness = witness or Witness()
    witness.eval()  # must not matter, as what follows
    torch.manual_seed(123)
    supervised(
        witness, features=FeatureStore.open(store), waveforms=WaveformStore.open(store), rows=rows_of("train"),
        targets=targets(store, np.arange(56), 2), loss="ce", recipe=SMALL.model_copy(update={"epochs": 2} | recipe),
        augment=augment or Augment(), target=target, seed=seed, evaluate=None, point=ResumePoint(folder, "key"),
        device=CPU, name="witness",
    )  # fmt: skip
    assert len(witness.seen) == 6
    return witness.seen


def test_training_takes_the_training_clips_and_no_other(store, tmp_path):
    seen = witnessed(store, tmp_path)
    assert {(one.keep, one.rate, one.dtype) for one in seen} == {(None, None, torch.float32)}
    given = FeatureStore.open(store).fbank(rows_of("train"))
    for epoch in range(2):
        x = torch.cat([one.x for one in seen[3 * epoch : 3 * epoch + 3]])
        rows = [int((given - clip).abs().amax((1, 2)).argmin()) for clip in x]
        assert sorted(rows) == list(range(24))
        assert torch.equal(given[rows], x)


@pytest.mark.parametrize("orientation", ["time", "freq"])
def test_masked_patches_come_in_the_model_s_own_numbering(store, tmp_path, orientation):
    seen = witnessed(store, tmp_path, Witness(orientation), augment=Augment(mask_2d=0.5), shrink_start=2)
    order = token_order(orientation, FRAMES // 16, 8)  # token -> (time, frequency)
    for one in seen:
        for clip in order[one.keep].tolist():  # 2 x 8 patches -> 1 x 4
            times, bins = ({place[axis] for place in clip} for axis in (0, 1))
            assert (len(times), len(bins), len(clip)) == (1, 4, 4)


def test_the_keep_rate_falls_to_the_target_and_masks_end_there(store, tmp_path):
    seen = witnessed(store, tmp_path, target=0.4, augment=Augment(mask_2d=0.5), shrink_start=1, shrink_epochs=0)
    assert [(one.rate, one.keep is not None) for one in seen] == [(1.0, True)] * 3 + [(0.4, False)] * 3


def test_the_forward_pass_is_in_the_recipe_s_precision(store, tmp_path):
    assert {one.dtype for one in witnessed(store, tmp_path, precision="bf16")} == {torch.bfloat16}


def test_draws_inside_the_model_depend_on_seed_epoch_and_step_alone(store, tmp_path):
    drawn = [[one.drawn for one in witnessed(store, tmp_path / str(i), seed=seed)] for i, seed in enumerate((0, 0, 1))]
    assert drawn[0] == drawn[1]
    assert len({*drawn[0], *drawn[2]}) == 12


def test_layers_and_decay_are_the_model_s_own(store, tmp_path):
    """Layer 1 of a model of depth 1 learns at half the rate of its head, and a named parameter does not decay."""
    witness = Witness()
    still = {"base_lr": 0.1, "schedule": "constant", "warmup_epochs": 0, "weight_decay": 0.3, "layer_decay": 0.5}
    witnessed(store, tmp_path, witness, **still)
    assert witness.undecayed.tolist() == [[1, 1], [1, 1]]
    np.testing.assert_allclose(witness.decayed.detach(), (1 - 0.5 * 0.1 * 0.3) ** 6, rtol=1e-6)


def test_fine_tuning_trains_by_its_own_settings(store, tmp_path):
    own = {"seed": 6, "augment": Augment(mask_2d=0.5, specaug_freq=40, noise=True)}
    recipe = SMALL.model_copy(update={"epochs": 2, "shrink_start": 1, "shrink_epochs": 0, "eval_every": 0})
    witness = Witness()
    pruning = Pruning(method="topk", keep_rate=0.4)
    step.training.finetune(
        settings(recipe=recipe, pruning=pruning, **own), witness, facts=FACTS, waveforms=WaveformStore.open(store),
        features=FeatureStore.open(store), out=tmp_path, resume=tmp_path / "resume", key="key", device=CPU,
    )  # fmt: skip
    expected = witnessed(store, tmp_path / "other", target=0.4, shrink_start=1, shrink_epochs=0, eval_every=0, **own)
    for one, other in zip(witness.seen, expected, strict=True):
        assert torch.equal(one.x, other.x)
        assert (one.rate, one.drawn) == (other.rate, other.drawn)
        assert one.keep is other.keep or torch.equal(one.keep, other.keep)
    assert [one.rate for one in expected] == [1.0] * 3 + [0.4] * 3


def test_the_step_hands_over_what_its_settings_say(store, tmp_path, monkeypatch):
    """A model of its backbone, patches, method, kernel, drop-path and seed; the dataset's facts; its own key."""
    given = {}
    monkeypatch.setattr(step.training, "finetune", lambda *args, **named: given.update(named, args=args) or {})
    pruning = Pruning(method="topk", keep_rate=0.6, blocks=(2, 5), options={"score": "cls"})
    recipe = RECIPE.model_copy(update={"drop_path": 0.22})
    wanted = FinetuneSettings(
        model=Model(backbone="ast-tiny", kernel="eager", stride=8), dataset="tones", recipe=recipe, pruning=pruning,
        seed=9, initial="scratch",
    )  # fmt: skip
    inputs = {"audio": store, "features": store}
    step.finetune(Job("finetune", "tones", "its-key", wanted, inputs, tmp_path, tmp_path / "resume"))
    own, made = given["args"]
    assert own is wanted
    assert (given["key"], given["facts"].name, given["facts"].loss) == ("its-key", "tones", "ce")
    assert (given["out"], given["resume"]) == (tmp_path, tmp_path / "resume")
    assert [block.drop_path1.rate for block in made.blocks] == pytest.approx(np.linspace(0, 0.22, 12))
    assert {block.attn.kernel for block in made.blocks} == {"eager"}
    assert made.pruning.pruner.attention == "cls"
    assert (made.keep_rate, sorted(made.pruning.blocks)) == (0.6, [2, 5])
    assert (made.tokens.time, made.tokens.freq, made.stride) == (3, 15, 8)
    fresh = build_model("ast-tiny", frames=FRAMES, num_classes=2, stride=8, seed=9).state_dict()
    assert all(torch.equal(value, fresh[name]) for name, value in made.state_dict().items())
