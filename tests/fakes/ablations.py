"""A second study that nobody ran: models evaluated with other pruning than they were trained with, scores, baselines.

`ablations()` has what the tables of ablations and the pictures of every kind of data show: two environmental folds, an
unpruned model under every method, statistics and controls that are trained (one of them was not run), both baselines,
four kinds of tasks with traces at two keep-rates.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import tests.fakes.tokens as fake_tokens
from audioprune import registry
from audioprune.labels import label_of
from audioprune.results.study import Results
from audioprune.settings.evaluation import DiscardSettings, EvaluateSettings, TraceSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import Augment, FinetuneSettings, PretrainSettings
from tests.fakes.studies import DATASETS, RECIPE, SKILL, Study, _data, _evaluate, _trace, facts, predictions

RATES = (1.0, 0.7, 0.5)
WORSE = {"random": 0.1, "uniform": 0.08, "intensity": 0.12, "variation": 0.11, "tome": 0.01}
TESTS = {"I": 0.3, "I-shuffled": 0.2, "II": 0.05, "III": 0.15, "III-shuffled": 0.16}  # how much less is right
BLOCKS = (0, 3, 6, 9)  # after which tokens are discarded
MASKED = Augment(mask_2d=0.3)
NOT_MADE = "needs a machine with more memory"
_folders: list[tempfile.TemporaryDirectory] = []  # kept until the tests end


def topk(rate: float, **more) -> Pruning:
    return Pruning(method="topk", keep_rate=rate, **more)


def other(method: str, rate: float, **options) -> Pruning:
    return Pruning(method=method, keep_rate=rate, options=options)


@cache
def ablations() -> Results:
    """One study for all tests that only read."""
    _folders.append(tempfile.TemporaryDirectory())
    return fake_ablations(Path(_folders[-1].name))


def fake_ablations(folder: Path) -> Results:
    study = Study(folder)
    backbones = ("audiomae-tiny", "ast-tiny", "ast-mp-tiny")
    checkpoints = {b: _checkpoint(study, b) for b in backbones}
    for dataset in ("esc10", "fsdd-digits", "fsdd-speakers", "birds"):
        audio, features = _data(study, dataset)
        if dataset == "birds":  # whose models are perturbed
            fake_tokens._clusters(study, dataset, {"audio": audio, "features": features})
        for backbone, checkpoint in checkpoints.items():
            inputs = {"audio": audio, "features": features, "checkpoint": checkpoint}
            if dataset == "esc10":
                _environmental(study, backbone, inputs)
            elif backbone == "audiomae-tiny":
                for rate in RATES:
                    _tuned(study, backbone, dataset, topk(rate), 1, inputs, tests=TESTS if dataset == "birds" else {})
    return Results("mini", study.cells, facts)


def _checkpoint(study: Study, backbone: str):
    settings = PretrainSettings(model=Model(backbone=backbone), objective="mae", recipe=RECIPE)
    return study.cell("pretrain", f"{backbone}/corpus", settings)


def _environmental(study: Study, backbone: str, inputs: dict) -> None:
    shelf = [other("random", r) for r in (0.7, 0.5)] + [other("intensity", r) for r in (0.7, 0.5)]
    another = {"global": "cls", "cls": "global"}[registry.backbone(backbone).family.score]
    shelf += [topk(r, options={"score": another}) for r in (0.7, 0.5)]
    shelf += [topk(r, blocks=(1, 4, 7)) for r in (0.7, 0.5)]
    tuned = [other("random", 0.5), other("intensity", 0.5), other("intensity", 0.5, variant="as_released")]
    for fold in (1, 2):
        for rate in RATES:
            evaluations = [topk(r) for r in RATES if r != rate] + (shelf if rate == 1 else [])
            _tuned(study, backbone, "esc10", topk(rate), fold, inputs, evaluations)
        for pruning in tuned if backbone != "ast-mp-tiny" else ():
            _tuned(study, backbone, "esc10", pruning, fold, inputs)
        if backbone == "audiomae-tiny":
            _tuned(study, backbone, "esc10", topk(0.5, options={"score": "cls"}), fold, inputs)
            _tuned(study, backbone, "esc10", other("uniform", 0.5), fold, inputs, made=False)
            _tuned(study, backbone, "esc10", Pruning(), fold, inputs, augment=Augment(mask_2d=0.3, baseline="paper"))


def skill(backbone: str, pruning: Pruning, trained: Pruning, baseline: str = "matched") -> float:
    """What share of clips a made-up model has right."""
    found = SKILL[pruning.keep_rate] - (0.03 if backbone == "audiomae-tiny" else 0) - WORSE.get(pruning.method, 0)
    found -= 0.15 if pruning.options.get("variant") == "as_released" else 0
    found -= 0.02 if pruning.options.get("score") == "cls" else 0
    found -= 0.05 if pruning.blocks != (3, 6, 9) else 0
    return found - (0.06 if pruning != trained else 0) + (0.02 if baseline == "paper" else 0)


def discarded(backbone: str, dataset: str, fold: int) -> pd.DataFrame:
    """discarded.parquet: discarding early is worse than late, and than at random; every tenth clip has no C1C2."""
    parts = []
    for one in ("C1C2", "C4C5"):
        for control in (False, True):
            for block in BLOCKS:
                right = 0.4 + 0.04 * block + (0.1 if control else 0) - (0.15 if backbone == "ast-tiny" else 0)
                frame = predictions(dataset, right, seed=100 * fold + block + 50 * control, fold=fold)
                frame = frame.assign(block=block, discarded=one, control=control)
                empty = np.arange(len(frame)) % 10 == 0
                frame["no_patch_left"] = empty & (one == "C1C2") & (block == 0)
                frame["tokens_left"] = np.where(frame["no_patch_left"], 0, 20)
                if DATASETS[dataset].metric == "top1":
                    frame["correct"] = [
                        int(np.argmax(s)) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)
                    ]
                    frame = frame.drop(columns="scores")
                parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def _tuned(study, backbone, dataset, pruning, fold, inputs, evaluations=(), *, made=True, augment=MASKED, tests=()):
    settings = FinetuneSettings(
        model=Model(backbone=backbone), dataset=dataset, pruning=pruning, recipe=RECIPE, augment=augment, fold=fold
    )
    address = f"{backbone}/{dataset}/{label_of(pruning)}-{augment.baseline}/fold{fold}-seed0"
    note = "" if made else NOT_MADE
    tuned = study.cell("finetune", address, settings, made=made, note=note, **inputs)
    upstream = {"finetune": tuned, "audio": inputs["audio"], "features": inputs["features"]}
    for own in (pruning, *evaluations):
        right = skill(backbone, own, pruning, augment.baseline)
        at = f"{address}/eval-{label_of(own)}"
        _evaluate(study, at, upstream, EvaluateSettings(pruning=own), right, dataset, fold, made)
    for test in tests if pruning.method != "none" else ():
        own = EvaluateSettings(pruning=pruning, perturbation=test, kernel="eager")
        _evaluate(
            study, f"{address}/{test}", upstream, own, SKILL[pruning.keep_rate] - tests[test], dataset, fold, made
        )
    if pruning.method == "none" and dataset in ("esc10", "birds"):
        frame = discarded(backbone, dataset, fold)
        files = [lambda out: frame.to_parquet(out / "discarded.parquet")]
        study.cell("discard", address, DiscardSettings(blocks=BLOCKS), files=files, **upstream)
    if pruning.method == "topk" and fold == 1:
        frames = DATASETS[dataset].frames
        shape = {"freq_patches": 8, "time_patches": frames // 16, "patch": 16, "stride": 16}
        shape["orientation"] = "freq" if backbone.startswith("ast") else "time"
        own = TraceSettings(pruning=pruning, clips=12)
        study.cell("trace", address, own, files=[_trace(dataset, pruning)], results=shape, **upstream)
