"""Models in noise that nobody ran: which clips are right in which condition, and which patches are kept, is given."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from audioprune.facts.noise import ADDED, CLEAN, conditions
from audioprune.labels import label_of
from audioprune.results.study import Results
from audioprune.settings.evaluation import EvaluateSettings, NoisySettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import Augment, FinetuneSettings
from tests.fakes.studies import DATASETS, RECIPE, Study, _data, facts

CLIPS = 100
KINDS, SNRS = ("white", "babble", "other", "gain"), (20.0, 10.0, 0.0)
NONE = Pruning()
_folders: list[tempfile.TemporaryDirectory] = []

Right = Callable[[str, float], np.ndarray]  # (kind, level) -> (n,) which clips are right


def topk(rate: float) -> Pruning:
    return Pruning(method="topk", keep_rate=rate)


def other(method: str, rate: float = 0.5) -> Pruning:
    return Pruning(method=method, keep_rate=rate)


def first(share: float) -> np.ndarray:
    """The first so many of a hundred clips."""
    return np.arange(CLIPS) < round(share * CLIPS)


def shares(clean: float, noisy: float | Mapping[tuple[str, float], float]) -> Right:
    """The first so many clips are right when clean, and so many in noise; `gain` is as clean."""

    def right(kind: str, level: float) -> np.ndarray:
        if kind not in ADDED:
            return first(clean)
        return first(noisy if isinstance(noisy, float) else noisy[kind, level])

    return right


def table(right: Right, dataset: str, own: NoisySettings, *, fold: int = 1, patches: int = 64) -> pd.DataFrame:
    """noisy.parquet of a hundred clips; the kept patches move on by one for each 10 dB below 30."""
    classes, n = len(DATASETS[dataset].classes), CLIPS
    label = np.arange(n) % classes
    parts, blocks = [], 3 if own.pruning.method in ("topk", "random", "uniform", "intensity") else 0
    for one in (None, *conditions(own.kinds, own.snrs, own.t60s, own.draws)):
        kind, level, draw = one or (CLEAN, float("nan"), 0)
        good = right(kind, level)
        said = np.where(good, label, (label + 1) % classes)
        added = kind in ADDED
        moved = (30 - level) / 10 if added else 0
        kept = [patches // 2 ** (b + 1) for b in range(blocks)]
        signal = [0.75 - 0.05 * moved] * blocks if added else [float("nan")] * blocks
        parts.append(
            pd.DataFrame(
                {
                    "clip": [f"fold{fold}-clip{i:03d}" for i in range(n)],
                    "recording": [f"fold{fold}-recording{i:03d}" for i in range(n)],
                    "speaker": "",
                    "labels": [[int(i)] for i in label],
                    "kind": kind,
                    "level": level,
                    "draw": draw,
                    "scores": [*np.eye(classes, dtype=np.float32)[said]],
                    "kept": [np.array(kept, dtype=np.int16)] * n,
                    "overlap": [np.array([(k - moved) / (k + moved) for k in kept], dtype=np.float32)] * n,
                    "on_signal": [np.array(signal, dtype=np.float32)] * n,
                    "clean_on_signal": [np.array([0.75 if added else float("nan")] * blocks, dtype=np.float32)] * n,
                    "all_signal": np.float32([0.5 if added else np.nan] * n),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


class Asked:
    """A study that asks models about noise."""

    def __init__(self, folder: Path, **settings):
        self.study, self.settings, self.data = Study(folder), {"kinds": KINDS, "snrs": SNRS} | settings, {}

    def model(
        self, right: Right, evaluated: Pruning = NONE, trained: Pruning | None = None, *, dataset="fsdd-digits",
        backbone="ast-tiny", fold=1, seed=0, made=True, waveform_noise=0.0,
    ) -> None:  # fmt: skip
        """One model; trained as it is evaluated, unless said otherwise. With noise in training, in noise alone."""
        study, trained = self.study, evaluated if trained is None else trained
        if dataset not in self.data:
            self.data[dataset] = _data(study, dataset)
        audio, features = self.data[dataset]
        tuned_as = FinetuneSettings(
            model=Model(backbone=backbone), dataset=dataset, pruning=trained, recipe=RECIPE, fold=fold, seed=seed,
            augment=Augment(waveform_noise=waveform_noise),
        )  # fmt: skip
        address = f"{backbone}/{dataset}/{label_of(trained)}/fold{fold}-seed{seed}"
        known = (c for c in study.cells if c.kind == "finetune" and c.settings == tuned_as)
        tuned = next(known, None) or study.cell("finetune", address, tuned_as, audio=audio, features=features)
        upstream = {"finetune": tuned, "audio": audio, "features": features}
        own = NoisySettings(pruning=evaluated, **self.settings)
        frame = table(right, dataset, own, fold=fold)
        results = {"patches": 64, "blocks": [3, 6, 9] if len(frame["kept"].iloc[0]) else [], "set_aside": []}
        write = [lambda out: frame.to_parquet(out / "noisy.parquet")]
        at = f"{address}/noisy-{label_of(evaluated)}/last"
        study.cell("noisy", at, own, made=made, files=write, results=results, **upstream)
        if trained == evaluated and not waveform_noise:
            plain = frame[frame["kind"] == CLEAN][["clip", "recording", "speaker", "labels", "scores"]]
            write = [lambda out: plain.to_parquet(out / "predictions.parquet")]
            study.cell("evaluate", f"{address}/last", EvaluateSettings(pruning=evaluated), files=write, **upstream)

    @property
    def results(self) -> Results:
        return Results("mini", self.study.cells, facts)


@cache
def noisy() -> Results:
    """Two backbones on two datasets, one of which has not been made: what exhibits have to cope with."""
    _folders.append(tempfile.TemporaryDirectory())
    asked = Asked(Path(_folders[-1].name))
    loss = {20.0: 0.02, 10.0: 0.1, 0.0: 0.5}

    def falling(clean: float, more: float) -> Right:
        own = {(k, s): clean - (1 + more) * loss[s] for k in KINDS for s in SNRS}
        return shares(clean, own | {("other", 0.0): 0.12 if clean > 0.8 else 0.1})

    for backbone, more in (("ast-tiny", 0.0), ("audiomae-tiny", 0.3)):
        given = {"backbone": backbone}
        asked.model(falling(0.9, 0), **given)
        asked.model(falling(0.88, more), topk(0.7), **given)
        asked.model(falling(0.85, more), topk(0.5), **given)
        for method, clean in (("topk", 0.8), ("random", 0.7), ("uniform", 0.72), ("intensity", 0.6), ("tome", 0.84)):
            asked.model(falling(clean, more / 2), other(method), NONE, **given)
        asked.model(falling(0.84, -0.5), waveform_noise=0.5, **given)
        asked.model(falling(0.8, -0.3), topk(0.5), waveform_noise=0.5, **given)
        asked.model(falling(0.9, 0), dataset="esc10", **given)
        asked.model(falling(0.9, 0), topk(0.5), dataset="esc10", made=backbone == "ast-tiny", **given)
    return asked.results
