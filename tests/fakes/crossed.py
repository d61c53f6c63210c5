"""A third study that nobody ran: folds crossed with seeds, selections, two recipes, and designs that are not equal.

Some methods were run in one fold only, some with one seed only, some runs are planned and not there. `crossed()` gives
the study's results and, as a frame, what was planned: a test finds there, without any reader, which runs two sides
share. Per-clip rows are made up: clips have a difficulty, so that models are wrong on the same ones.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from audioprune import registry
from audioprune.labels import label_of, method_label
from audioprune.results.study import Results
from audioprune.settings.costs import ThroughputSettings
from audioprune.settings.data import AudioSettings
from audioprune.settings.evaluation import DiscardSettings, EvaluateSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, Recipe
from tests.fakes.claims import DECOY, tokens_cell
from tests.fakes.studies import DEVICE, RECIPE, FakeCell, Study

MAE, AST, MP = "audiomae-tiny", "ast-tiny", "ast-mp-tiny"
CLIPS = {"fsdd-digits": 60, "esc50": 40, "esc10mix": 30, "fsdd-speakers": 48}  # in a fold
TRAINING = 5  # clips of a dataset that no fold tests
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
P2, P0 = RECIPE, RECIPE.model_copy(update={"base_lr": 2e-3})  # two recipes, the first as most models are trained
NOT_MADE = "needs a machine with more memory"
NOT_TIMED = "no such device here"
NOTHING_SHARED = "they have no fold and seed in common"  # what is said of sides that were run apart
TESTS = {
    "I": 0.15,
    "II": 0.05,
    "III": 0.1,
    "I-shuffled": 0.1,
    "II-shuffled": 0.08,
    "III-shuffled": 0.12,
}  # less is right
SELECTIONS = {"last": 0.0, "best_val": 0.01, "best_test": 0.02}
WORSE = {"intensity": 0.1, "variation": 0.06, "tome": 0.02}
ALL = tuple(product((1, 2), (0, 1)))  # fold, seed
SEEDS, ONE_SEED, ONE_FOLD = ((1, 0), (1, 1)), ((1, 0), (2, 0)), ((1, 0), (1, 1))
BLOCKS = (0, 6)  # after which tokens are discarded
_folders: list[tempfile.TemporaryDirectory] = []  # kept until the tests end


@cache
def crossed() -> tuple[Results, pd.DataFrame]:
    """The study, and its plan: a row for each evaluation, discarding, token analysis and timing."""
    _folders.append(tempfile.TemporaryDirectory())
    made = Crossed(Study(Path(_folders[-1].name)))
    for backbone in (MAE, AST):
        made.models(backbone, "fsdd-digits", SEEDS, rates={MAE: (1.0, 0.9, 0.7, 0.5), AST: (1.0, 0.7, 0.5, 0.4)})
        made.models(backbone, "esc50", ALL, rates={MAE: (1.0, 0.9, 0.8, 0.7, 0.5), AST: (1.0, 0.8, 0.7, 0.6, 0.5)})
        made.models(backbone, "esc10mix", ALL, rates={MAE: (1.0, 0.7, 0.5), AST: (1.0, 0.9, 0.8, 0.7, 0.5)})
    made.models(MAE, "fsdd-speakers", ((1, 0),), rates={MAE: (1.0, 0.7, 0.5)})
    made.models(MP, "esc50", ONE_SEED, rates={MP: (1.0, 0.7, 0.5)})
    made.others()
    return Results("mini", made.study.cells), pd.DataFrame(made.plan)


def topk(rate: float, **options) -> Pruning:
    return Pruning(method="topk", keep_rate=rate, options=options)


# Which runs are planned and not there: backbone, dataset, method, keep-rate, fold, seed.
LOST = {
    (AST, "esc50", "topk", 0.7, 2, 1),
    (MAE, "esc50", "none", 1.0, 1, 1),
    (MAE, "esc50", "topk", 0.5, 1, 1),
    (MAE, "esc50", "variation", 0.7, 2, 0),
    (MAE, "esc50", "topk.cls", 0.5, 1, 0),
    (AST, "esc10mix", "topk", 0.8, 1, 0),
    (AST, "esc10mix", "topk", 0.8, 2, 0),
    (AST, "fsdd-digits", "intensity", 0.5, 1, 0),
    (AST, "fsdd-digits", "intensity", 0.5, 1, 1),
}
# Which runs of a token analysis are planned, where those are not the evaluations'; and which are not there.
TRACED = {(AST, "esc50", 0.5): ONE_FOLD, (AST, "esc10mix", 0.5): ONE_SEED, (AST, "fsdd-digits", 0.5): ((1, 0),)}
NOT_TRACED = {(AST, "esc10mix", 0.7, 1, 1), (MAE, "esc50", 0.5, 2, 0), (MAE, "fsdd-digits", 0.5, 1, 0)}


@dataclass
class Crossed:
    study: Study
    plan: list[dict] = field(default_factory=list)
    data: dict[str, FakeCell] = field(default_factory=dict)
    trained: dict[tuple, FakeCell] = field(default_factory=dict)

    def audio(self, dataset: str) -> FakeCell:
        """Its clips in the order of their rows, with their speakers; the first ones are for training."""
        if dataset not in self.data:
            folds = (1, 2) if registry.dataset(dataset).folds > 1 else (1,)
            training = pd.DataFrame({"clip": [f"t{i}" for i in range(TRAINING)], "recording": "t", "speaker": "nobody"})
            frame = pd.concat([training, *(clips(dataset, fold) for fold in folds)], ignore_index=True)
            files = [lambda out: frame.to_parquet(out / "clips.parquet")]
            self.data[dataset] = self.study.cell("audio", dataset, AudioSettings(dataset=dataset), files=files)
        return self.data[dataset]

    def add(self, cell: FakeCell, backbone: str, dataset: str, **what) -> None:
        made = (cell.dir / "record.json").exists()
        self.plan.append(
            {"kind": cell.kind, "backbone": backbone, "dataset": dataset, **what, "made": made, "path": cell.path}
        )

    def models(self, backbone: str, dataset: str, runs, rates: dict) -> None:
        """Unpruned and topk, in all selections; their tokens discarded and analysed; timed."""
        for rate, (fold, seed) in product(rates[backbone], runs):
            self.evaluated(backbone, dataset, topk(rate), fold, seed)
            if rate == 1 and backbone != MP and dataset != "fsdd-speakers":
                self.discarded(backbone, dataset, fold, seed)
        for rate in (1.0, 0.7, 0.5) if backbone != MP else ():
            for fold, seed in TRACED.get((backbone, dataset, rate), runs):
                self.traced(backbone, dataset, topk(rate), fold, seed)
        for kernel in ("eager", "fused") if backbone == MAE else ():
            self.timed(backbone, dataset, kernel)

    def others(self) -> None:
        """Other scores, rankings, recipes and tests, in fewer runs than the models that they are compared with."""
        for rate, runs in ((0.7, ONE_SEED), (0.5, ALL)):
            for fold, seed in runs:
                self.evaluated(MAE, "esc50", topk(rate, score="cls"), fold, seed)
        self.traced(MAE, "esc50", topk(0.7, score="cls"), 1, 0)
        for backbone, dataset in product((MAE, AST), ("esc50", "fsdd-digits", "esc10mix")):
            for fold, seed in ONE_FOLD:
                self.evaluated(backbone, dataset, Pruning(method="intensity", keep_rate=0.5), fold, seed)
        released = Pruning(method="intensity", keep_rate=0.5, options={"variant": "as_released"})
        self.evaluated(MAE, "esc50", released, 1, 0)
        for rate, runs in ((0.7, ALL), (0.5, ((1, 1),))):
            for fold, seed in runs:
                self.evaluated(MAE, "esc50", Pruning(method="variation", keep_rate=rate), fold, seed)
        for fold, seed in ONE_FOLD:
            self.evaluated(AST, "esc10mix", Pruning(), fold, seed, shelf=Pruning(method="tome", options={"r": 9}))
        for dataset, runs in (("esc50", ONE_SEED), ("fsdd-digits", SEEDS)):
            for rate, (fold, seed) in product((1.0, 0.7, 0.5), runs):
                self.evaluated(MAE, dataset, topk(rate), fold, seed, recipe=P0)
                few = dataset == "esc50" and rate == 0.5 and fold == 2  # two tests in one fold only
                self.perturbed(MAE, dataset, topk(rate), fold, seed, [t for t in TESTS if not few or t[:2] != "II"])
        self.traced(MAE, "esc50", topk(0.5), 1, 0, recipe=P0)
        self.mislabelled(MAE, "esc50", topk(0.7), 1, 0)

    def tuned(self, backbone, dataset, pruning, fold, seed, recipe: Recipe = P2) -> FakeCell:
        key = (backbone, dataset, label_of(pruning), fold, seed, recipe.base_lr)
        if key not in self.trained:
            settings = FinetuneSettings(
                model=Model(backbone=backbone), dataset=dataset, pruning=pruning, recipe=recipe, fold=fold, seed=seed
            )
            made = (backbone, dataset, method_label(pruning), pruning.keep_rate, fold, seed) not in LOST or recipe == P0
            self.trained[key] = self.study.cell(
                "finetune", "/".join(map(str, key)), settings, made=made, note="" if made else NOT_MADE,
                audio=self.audio(dataset),
            )  # fmt: skip
        return self.trained[key]

    def evaluated(self, backbone, dataset, pruning, fold, seed, *, shelf: Pruning | None = None, recipe=P2) -> None:
        own, selections = shelf or pruning, ("last",) if shelf else SELECTIONS
        for selection in selections:
            settings = EvaluateSettings(pruning=own, selection=selection)
            skill = ability(backbone, own) + SELECTIONS[selection] + (0.03 if recipe == P0 else 0)
            self._evaluate(backbone, dataset, pruning, fold, seed, settings, skill, recipe)

    def perturbed(self, backbone, dataset, pruning, fold, seed, tests) -> None:
        for test in tests if pruning.method != "none" else ():
            settings = EvaluateSettings(pruning=pruning, perturbation=test, kernel="eager")
            self._evaluate(
                backbone, dataset, pruning, fold, seed, settings, ability(backbone, pruning) - TESTS[test], P0
            )

    def _evaluate(self, backbone, dataset, pruning, fold, seed, settings, skill, recipe) -> None:
        tuned, own = self.tuned(backbone, dataset, pruning, fold, seed, recipe), settings.pruning
        made = (tuned.dir / "record.json").exists()
        frame = predictions(dataset, skill, fold, seed, backbone, label_of(own), settings.perturbation)
        address = f"{tuned.address}/{label_of(own)}/{settings.selection}-{settings.perturbation}"
        files = [lambda out: frame.to_parquet(out / "predictions.parquet")]
        cell = self.study.cell("evaluate", address, settings, made=made, files=files, finetune=tuned)
        self.add(
            cell, backbone, dataset, method=method_label(own), keep_rate=own.keep_rate, shelf=own != pruning,
            test=settings.perturbation, selection=settings.selection, recipe=recipe.base_lr, fold=fold, seed=seed,
        )  # fmt: skip

    def discarded(self, backbone, dataset, fold, seed) -> None:
        tuned = self.tuned(backbone, dataset, Pruning(), fold, seed)
        made, parts = (tuned.dir / "record.json").exists(), []
        for one, control, block in product(("C1C2", "C4C5"), (False, True), BLOCKS):
            skill = 0.5 + 0.03 * block + (0.12 if control else 0) - (0.1 if one == "C4C5" else 0)
            frame = predictions(dataset, skill, fold, seed, backbone, one, block, control)
            frame["no_patch_left"] = (np.arange(len(frame)) % 10 == 0) & (block == 0) & (one == "C1C2")
            frame["tokens_left"] = np.where(frame["no_patch_left"], 0, 20)
            if registry.dataset(dataset).metric == "top1":
                frame["correct"] = right(frame)
                frame = frame.drop(columns="scores")
            parts.append(frame.assign(block=block, discarded=one, control=control))
        whole = pd.concat(parts, ignore_index=True)
        files = [lambda out: whole.to_parquet(out / "discarded.parquet")]
        cell = self.study.cell(
            "discard", tuned.address, DiscardSettings(blocks=BLOCKS), made=made, files=files, finetune=tuned
        )
        self.add(cell, backbone, dataset, fold=fold, seed=seed)

    def traced(self, backbone, dataset, pruning, fold, seed, recipe: Recipe = P2) -> None:
        tuned = self.tuned(backbone, dataset, pruning, fold, seed, recipe)
        lost = (backbone, dataset, pruning.keep_rate, fold, seed) in NOT_TRACED and recipe == P2
        made = (tuned.dir / "record.json").exists() and not lost
        names = clips(dataset, fold)
        rows = analysed(backbone, dataset, pruning, fold, seed, names)
        cell = tokens_cell(
            self.study, tuned, self.audio(dataset), names.assign(row=names.index), rows, made=made, note=NOT_MADE
        )
        self.add(
            cell, backbone, dataset, method=method_label(pruning), keep_rate=pruning.keep_rate,
            recipe=recipe.base_lr, fold=fold, seed=seed,
        )  # fmt: skip

    def mislabelled(self, backbone, dataset, pruning, fold, seed) -> None:
        """Under wrong labels, as for the audit: no exhibit of right ones shows it, and no claim."""
        tuned, names = self.tuned(backbone, dataset, pruning, fold, seed), clips(dataset, fold)
        rows = analysed(backbone, dataset, pruning, fold, seed, names)
        rows = {name: {block: values + DECOY for block, values in own.items()} for name, own in rows.items()}
        tokens_cell(self.study, tuned, self.audio(dataset), names.assign(row=names.index), rows, label_map="shuffled")

    def timed(self, backbone, dataset, kernel) -> None:
        facts, made = registry.dataset(dataset), dataset != "esc10mix"
        settings = ThroughputSettings(
            model=Model(backbone=backbone, kernel=kernel), frames=facts.frames, num_classes=facts.num_classes,
            keep_rates=(1.0, 0.7, 0.5), batch_size=16, runs=9, device=DEVICE,
        )  # fmt: skip
        rng = random(dataset, kernel, backbone)
        rows = [
            (rate, kernel, run, 0.1 * (0.1 + rate) * rng.uniform(0.9, 1.1))
            for run in range(9)
            for rate in settings.keep_rates
        ]
        frame = pd.DataFrame(rows, columns=["keep_rate", "kernel", "run", "seconds"])
        files = [lambda out: frame.to_csv(out / "throughput.csv", index=False)]
        cell = self.study.cell(
            "throughput", f"{backbone}/{facts.frames}x{facts.num_classes}/{kernel}", settings, made=made,
            note="" if made else NOT_TIMED, files=files,
        )  # fmt: skip
        self.add(cell, backbone, dataset, kernel=kernel)


def random(*what) -> np.random.Generator:
    return np.random.default_rng(crc32(repr(what).encode()))


def ability(backbone: str, pruning: Pruning) -> float:
    """What share of clips a model has right."""
    lost = (1 - pruning.keep_rate) * (0.5 if backbone == MAE else 0.3)
    return 0.85 - lost - WORSE.get(pruning.method, 0) - 0.08 * bool(pruning.options.get("score"))


def clips(dataset: str, fold: int) -> pd.DataFrame:
    """clip, recording and speaker: takes of speakers, mixtures that share recordings, or two clips of a recording.

    Their index is the row of the dataset's audio.
    """
    n, facts = CLIPS[dataset], registry.dataset(dataset)
    number = np.arange(n)
    name = [f"{dataset}-{fold}-{i:02}" for i in number]
    if facts.drawn_within:
        speaker = [SPEAKERS[i % 6] for i in number]
        recording = [f"{s}-{i // 12}" for i, s in zip(number, speaker, strict=True)]
    elif facts.mixed_by:
        speaker, recording = [""] * n, [f"{fold}.{i % 20}+{fold}.{(7 * i + 3) % 20}" for i in number]
    else:
        speaker, recording = [""] * n, [f"{fold}.{i // 2}" for i in number]
    index = TRAINING + number + (n if fold == 2 else 0)
    return pd.DataFrame({"clip": name, "recording": recording, "speaker": speaker}, index=index)


def predictions(dataset: str, skill: float, fold: int, seed: int, *model) -> pd.DataFrame:
    """About `skill` of the clips are right; a clip is as difficult for all models."""
    facts, frame = registry.dataset(dataset), clips(dataset, fold).reset_index(drop=True)
    n, rng = len(frame), random(model, fold, seed)
    difficulty = random(dataset, fold).uniform(size=n)
    solved = 0.6 * difficulty + 0.4 * rng.uniform(size=n) < 0.2 + 0.6 * skill
    scores = rng.normal(0, 1, (n, facts.num_classes)).astype("float32")
    labels = [sorted({i % facts.num_classes, (i // 3) % facts.num_classes}) for i in range(n)]
    labels = labels if facts.metric == "map" else [own[:1] for own in labels]
    for i, own in enumerate(labels):
        at = own if solved[i] else [(own[0] + 1) % facts.num_classes]
        scores[i, at] += 3 if facts.metric == "map" else 9
    return frame.assign(labels=labels, scores=list(scores))


def right(frame: pd.DataFrame) -> list[bool]:
    return [int(np.argmax(s)) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)]


def analysed(backbone, dataset, pruning, fold, seed, names: pd.DataFrame) -> dict[str, dict[int, np.ndarray]]:
    """{column: {block: a value for each clip}}; some clips have no signal, and of mixtures none keeps background."""
    n, rng, rate = len(names), random(backbone, dataset, label_of(pruning), fold, seed), pruning.keep_rate
    level, blocks = random(dataset, fold).normal(size=n), range(12)

    def of(mean: float, spread: float) -> np.ndarray:
        return mean + spread * (0.7 * level + 0.7 * rng.normal(size=n))

    found = {"norm": {block: of(5 - 0.3 * block - (1 - rate), 0.4) for block in blocks}}
    if rate == 1:
        return found
    signal = np.where(np.arange(n) % 9 == 0, np.nan, 0)
    ours = 0.02 if backbone == MAE else -0.01
    kept = {block: rate**stage for stage, block in enumerate((3, 6, 9), start=1)}
    found["kept_fraction"] = {block: np.full(n, share) for block, share in kept.items()}
    found["low_of_kept"] = {block: of(0.3 + 3 * ours, 0.1) for block in kept}
    found["low_of_input"] = {block: of(share + ours, 0.1) for block, share in kept.items()}
    found["ratio_a"] = {block: of(0.4 * rate, 0.05) + signal for block in kept}
    found["ratio_b"] = {block: of(share - ours, 0.03) + signal for block, share in kept.items()}
    found["excess"] = {block: found["ratio_b"][block] - share for block, share in kept.items()}
    background = {b: np.full(n, np.nan) if dataset == "esc10mix" and b == 9 else np.zeros(n) for b in range(10)}
    found["gamma_s"] = {block: of(1.1 + 0.05 * block * rate, 0.3) + signal for block in range(10)}
    found["gamma_b"] = {block: of(1.0 + 0.04 * block * rate, 0.3) + background[block] for block in range(10)}
    return found
