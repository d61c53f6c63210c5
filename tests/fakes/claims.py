"""A study on disk with evaluations of which the tests say which clips are right, and token analyses with their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from audioprune import registry
from audioprune.config.file import load as load_config
from audioprune.config.recipes import resolve_recipe
from audioprune.facts.tokens import BLOCKS
from audioprune.labels import label_of, score_of
from audioprune.results.study import Results
from audioprune.settings.data import AudioSettings
from audioprune.settings.evaluation import DiscardSettings, EvaluateSettings, TokensSettings, TraceSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import Augment, FinetuneSettings, Recipe
from tests import REPOSITORY
from tests.fakes.studies import RECIPE, FakeCell, Study, facts

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


Columns = Mapping[str, Mapping[int, np.ndarray]]  # {column: {block: a value for each clip}}
Run = tuple[int, int]  # fold, seed
STAGES = ("ratio_a", "ratio_b", "kept_fraction", "excess", "low_of_kept", "low_of_input")
BESIDE = (  # what tables show beside them, and no claim reads
    "blind_a", "excess_a", "signal_of_kept", "background_of_kept", "padding_of_kept", "cut_of_kept",
    "low_inside_of_kept", "low_inside_of_input",
)  # fmt: skip
GAMMAS = ("gamma_s", "gamma_b")
ONCE = (1, 0)
CONFIG = REPOSITORY / "config.yaml"
DECOY = 50.0  # what is added where nothing may be read


def study(
    folder: Path,
    runs: Mapping[tuple, np.ndarray | Mapping[Run, np.ndarray | None] | None],
    name: str = "mini",
    *,
    selections: Sequence[str] = ("last",),
    tokens: Mapping[tuple, Mapping[Run, Columns | None]] | None = None,
    recipes: str = "p2",
    discards: Mapping[tuple, Mapping[tuple[str, int, bool], np.ndarray]] | None = None,
) -> Results:
    """Evaluations by (backbone, dataset, method, keep-rate, test): right clips, or None where it was not run.

    Of several folds and seeds there are right clips for each. A method `none>tome.r9` is that of an unpruned model, off
    the shelf. A backbone `audiomae-b@p0` is trained by another recipe than that of `recipes`, of config.yaml where that
    has one for the family and dataset. `tokens`: analyses by (backbone, dataset, keep-rate), for each fold and seed, by
    clip (see `clips`). `discards`: right clips by (clusters, block, control) of unpruned models. A model of which no
    unpruned evaluation is given has one that is right on nine clips of ten, in every fold and seed of its others.
    """
    made, tuned, audio = Study(folder), {}, {}
    runs = _with_unpruned(runs, tokens or {})

    def trained(backbone: str, dataset: str, own: Pruning, run: Run, there: bool) -> FakeCell:
        name, _, own_recipes = backbone.partition("@")
        where = (backbone, dataset, label_of(own), *map(str, run))
        if dataset not in audio:
            audio[dataset] = made.cell("audio", dataset, AudioSettings(dataset=dataset))
        if where not in tuned:
            recipe, augment = trained_by(own_recipes or recipes, name, dataset)
            settings = FinetuneSettings(
                model=Model(backbone=name), dataset=dataset, pruning=own, recipe=recipe, augment=augment,
                fold=run[0], seed=run[1],
            )  # fmt: skip
            tuned[where] = made.cell("finetune", "/".join(where), settings, made=there, audio=audio[dataset])
        return tuned[where]

    for (backbone, dataset, method, rate, test), given in runs.items():
        first, _, other = method.partition(">")
        for run, correct in (given if isinstance(given, Mapping) else {(1, 0): given}).items():
            there = correct is not None
            cell = trained(backbone, dataset, pruning(first, rate), run, there)
            own = (correct, run[0], facts(dataset).num_classes)
            files = [lambda out, own=own: predictions(*own).to_parquet(out / "predictions.parquet")]
            for selection in selections if test == "none" else selections[:1]:
                settings = EvaluateSettings(
                    pruning=pruning(other or first, rate), perturbation=test, selection=selection,
                    tau=None if test == "none" else 0.0,
                )  # fmt: skip
                address, note = f"{cell.address}/{other}/{test}-{selection}", "" if there else WHY
                made.cell("evaluate", address, settings, made=there, note=note, files=files, finetune=cell)
    for (backbone, dataset), given in (discards or {}).items():
        cell = trained(backbone, dataset, Pruning(), ONCE, True)
        frame = pd.concat([_discarded(*key, correct) for key, correct in given.items()], ignore_index=True)
        files = [lambda out, frame=frame: frame.to_parquet(out / "discarded.parquet")]
        made.cell("discard", cell.address, DiscardSettings(blocks=(3, 6)), files=files, finetune=cell)
    for (backbone, dataset, rate), given in (tokens or {}).items():
        for run, columns in given.items():
            there = columns is not None
            cell = trained(backbone, dataset, pruning("topk", rate), run, there)
            tokens_cell(made, cell, audio[dataset], clips(run[0]), columns or {}, made=there, note="" if there else WHY)
    return Results(name, made.cells, facts)


def _with_unpruned(runs: Mapping[tuple, Any], tokens: Mapping[tuple, Any]) -> dict[tuple, Any]:
    """With an unpruned model of every backbone and dataset, as good as most, where none is given."""
    found: dict[tuple, Any] = dict(runs)
    known = {key[:2] for key in runs if key[2:] == ("none", 1.0, "none")}
    for backbone, dataset, *_ in [*runs, *tokens]:
        if (backbone, dataset) not in known:
            own = [given for key, given in [*runs.items(), *tokens.items()] if key[:2] == (backbone, dataset)]
            at = {run for given in own for run in (given if isinstance(given, Mapping) else {ONCE: given})}
            found[backbone, dataset, "none", 1.0, "none"] = {run: right(0.9) for run in sorted(at)}
    return found


def trained_by(recipes: str, backbone: str, dataset: str) -> tuple[Recipe, Augment]:
    """Of config.yaml where a published set has one; of a tiny model, or on other data, one as good as any."""
    family = registry.backbone(backbone).family.name
    if not backbone.endswith("-b") or dataset not in ("spc2", "esc50", "voxceleb1", "as20k"):
        return RECIPE, Augment()
    return resolve_recipe(load_config(CONFIG), recipes, family, dataset)


def predictions(correct: np.ndarray, fold: int = 1, classes: int = 10) -> pd.DataFrame:
    """Every clip is a recording of its own; classes take turns, and a wrong clip is said to be of the next class."""
    n = len(correct)
    labels = np.arange(n) % classes
    scores = np.zeros((n, classes))
    scores[np.arange(n), np.where(correct, labels, (labels + 1) % classes)] = 1
    names = [f"clip{i}" if fold == 1 else f"fold{fold}-clip{i}" for i in range(n)]
    return pd.DataFrame({"clip": names, "recording": names, "labels": labels[:, None].tolist(), "scores": list(scores)})


def _discarded(clusters: str, block: int, control: bool, correct: np.ndarray) -> pd.DataFrame:
    """Rows of discarded.parquet, of the clips of `predictions`."""
    clips = predictions(correct)[["clip", "recording"]]
    right = {"correct": correct.astype(bool), "no_patch_left": False, "tokens_left": 20}
    return clips.assign(discarded=clusters, block=block, control=control, **right)


CLIPS = 60  # of a token analysis


def clips(fold: int = 1) -> pd.DataFrame:
    """Two of each recording."""
    names, recordings = (
        [f"fold{fold}-{c}{i // n:02}" for i in range(CLIPS)] for c, n in (("clip", 1), ("recording", 2))
    )
    return pd.DataFrame({"clip": names, "recording": recordings, "row": range(CLIPS)})


def tokens_cell(
    study: Study,
    tuned: FakeCell,
    audio: FakeCell,
    clips: pd.DataFrame,
    columns: Columns,
    *,
    label_map: str = "right",
    made: bool = True,
    note: str = "",
) -> FakeCell:
    """A token analysis of a fine-tuning, with its trace; `clips` has clip, recording and row (of the audio).

    Attention ratios stand there by either score; those by which the model does not rank are far off.
    """
    pruning, family = tuned.settings.pruning, registry.backbone(tuned.settings.model.backbone).family
    own, address = TraceSettings(pruning=pruning), f"{tuned.address}/{label_map}"
    trace = study.cell("trace", address, own, made=made, note=note, finetune=tuned, audio=audio)
    ranks = score_of(tuned.settings.model.backbone, pruning) or family.score
    parts: dict[str, list[pd.DataFrame]] = {"stages": [], "blocks": [], "attention": []}
    for block in sorted({block for own in columns.values() for block in own}):
        values = {name: own[block] for name, own in columns.items() if block in own}
        keys = pd.DataFrame({"clip": clips["clip"], "block": block})
        if "norm" in values:
            parts["blocks"].append(keys.assign(norm=values["norm"]))
        if stage := {name: values[name] for name in STAGES if name in values}:
            parts["stages"].append(keys.assign(stage=BLOCKS.index(block) + 1, **dict.fromkeys(BESIDE, 0.1), **stage))
        for score in ("global", "cls") if "gamma_s" in values else ():
            away = 0 if score == ranks else DECOY
            group = next(i for i, last in enumerate(BLOCKS, start=1) if block <= last)
            gammas = {name: values[name] + away for name in GAMMAS}
            parts["attention"].append(keys.assign(group=group, score=score, **gammas))
    known = {"patches": 64, "signal_input": 32, "padding_input": 8}
    frames = {"clips": clips[["clip", "recording", "row"]].assign(**known)}
    frames |= {name: pd.concat(found, ignore_index=True) for name, found in parts.items() if found}

    def write(out: Path) -> None:
        for name, frame in frames.items():
            frame.to_parquet(out / f"{name}.parquet", index=False)

    settings = TokensSettings(tau="auto", label_map=label_map)
    return study.cell(
        "tokens", address, settings, made=made, note=note, files=[write], results={"tau": -0.4}, trace=trace
    )
