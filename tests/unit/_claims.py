"""A study on disk with evaluations of which the tests say which clips are right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from fakes import RECIPE, Study, facts

from audioprune.labels import label_of
from audioprune.results import Results
from audioprune.settings import EvaluateSettings, FinetuneSettings, Model, Pruning

OPTIONS = {
    "cls": {"score": "cls"},
    "fixed": {"variant": "fixed"},
    "as_released": {"variant": "as_released"},
    "r9": {"r": 9},
}
WHY = "its data is not indexed yet: audioprune index spc2"


def pruning(method: str, rate: float) -> Pruning:
    name, _, option = method.partition(".")
    return Pruning(method=name, keep_rate=rate, options=OPTIONS.get(option, {}))


def right(share: float, n: int = 400, first: int = 0) -> np.ndarray:
    """(n,) bool: the first clips are right, `first` of them being wrong instead, so that models can differ."""
    found = np.arange(n) < round(share * n)
    found[:first] = False
    return found


def study(folder: Path, runs: dict[tuple, np.ndarray | None], name: str = "mini") -> Results:
    """Evaluations by (backbone, dataset, method, keep-rate, test): right clips, or None where it was not run.

    A method `none>tome.r9` is that of an unpruned model, off the shelf.
    """
    made, tuned = Study(folder), {}
    for (backbone, dataset, method, rate, test), correct in runs.items():
        trained, _, other = method.partition(">")
        own, there = pruning(trained, rate), correct is not None
        where = (backbone, dataset, label_of(own))
        if where not in tuned:
            settings = FinetuneSettings(model=Model(backbone=backbone), dataset=dataset, pruning=own, recipe=RECIPE)
            tuned[where] = made.cell("finetune", "/".join(where), settings, made=there)
        settings = EvaluateSettings(
            pruning=pruning(other or trained, rate), perturbation=test, tau=None if test == "none" else 0.0
        )
        files = [lambda out, correct=correct: predictions(correct).to_parquet(out / "predictions.parquet")]
        address = f"{'/'.join(where)}/{other}/{test}"
        note = "" if there else WHY
        made.cell("evaluate", address, settings, made=there, note=note, files=files, finetune=tuned[where])
    return Results(name, made.cells, facts)


def predictions(correct: np.ndarray) -> pd.DataFrame:
    n = len(correct)
    scores = np.where(correct[:, None], [1.0, 0.0], [0.0, 1.0])
    names = [f"clip{i}" for i in range(n)]
    return pd.DataFrame({"clip": names, "recording": names, "labels": [[0]] * n, "scores": list(scores)})
