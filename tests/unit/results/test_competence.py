"""A reference that has learnt nothing enters no answer and no verdict; a pruned model that collapses stays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge
from audioprune.results.competence import Competence, every, reference
from audioprune.results.estimate import Absent
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, Recipe
from audioprune.tables import competence as table
from tests.fakes.claims import ONCE, right, study
from tests.fakes.studies import FakeCell, Results, Study, facts

CLAIMS = {claim.name: claim for claim in load()}
MAE, AST = "audiomae-tiny", "ast-tiny"
RECIPE = Recipe(epochs=6, batch_size=32, shrink_start=1, shrink_epochs=3)


def of(folder, **seeds: list[int]) -> Competence:
    """Of an unpruned model that says these digits, of clips that are zero to nine in turn; by seed."""
    made = Study(folder)
    for seed, said in enumerate(seeds.values()):
        _evaluated(made, "fsdd-digits", seed, labels=[[i % 10] for i in range(len(said))], scores=np.eye(10)[said])
    (found,) = every(Results("mini", made.cells, facts))
    assert isinstance(found, Competence)
    return found


def _evaluated(made: Study, dataset: str, seed: int, labels: list, scores: np.ndarray) -> FakeCell:
    settings = FinetuneSettings(model=Model(backbone=MAE), dataset=dataset, recipe=RECIPE, seed=seed)
    tuned = made.cell("finetune", f"{dataset}-{seed}", settings)
    names = [f"clip{i}" for i in range(len(labels))]
    frame = pd.DataFrame({"clip": names, "recording": names, "labels": labels, "scores": list(scores)})
    files = [lambda out: frame.to_parquet(out / "predictions.parquet")]
    return made.cell("evaluate", f"{dataset}-{seed}", EvaluateSettings(pruning=Pruning()), files=files, finetune=tuned)


DIGITS = list(range(10)) * 10


@pytest.mark.parametrize(
    ("said", "predicted", "above", "learnt"),
    [
        (DIGITS, 10, True, True),
        ([0] * 100, 1, False, False),  # one class to everything: 10 % of the clips
        ([d if d < 4 else 0 for d in DIGITS], 4, True, False),  # 40 % right, and fewer than half of the classes
        ([d if d < 5 else 0 for d in DIGITS], 5, True, True),
        ([(d + 1) % 10 for d in DIGITS], 10, False, False),  # every class, never right
    ],
)
def test_above_chance_and_half_of_the_classes(tmp_path, said, predicted, above, learnt):
    found = of(tmp_path, first=said)
    assert (found.predicted, found.classes, found.above_chance, found.learnt) == (predicted, 10, above, learnt)
    assert found.value == pytest.approx(np.mean(np.array(said) == np.array(DIGITS)) * 100)
    assert found.chance == pytest.approx(10)


def test_the_worst_seed_decides(tmp_path):
    assert of(tmp_path / "a", first=DIGITS, second=DIGITS).learnt
    found = of(tmp_path / "b", first=DIGITS, second=[0] * 100)
    assert (found.learnt, found.predicted, found.value) == (False, 1, pytest.approx(55))
    assert found.said == ("audiomae-tiny on fsdd-digits (55.0 %, by chance 10.0 %, p 0.55; 1 of 10 classes predicted)")
    assert found.by_class.startswith("zero 110 (20), one 10 (20)")


def test_several_labels_are_judged_by_exchanged_labels(tmp_path):
    """As many classes of a clip as it has labels are said of it."""
    rng, made = np.random.default_rng(0), Study(tmp_path)
    labels = [[0, 1] if i % 2 else [2] for i in range(40)]
    knows = np.array([[2, 1, 0, 0] if i % 2 else [0, 0, 1, 0.5] for i in range(40)]) + rng.normal(0, 0.1, (40, 4))
    _evaluated(made, "birds", 0, labels, knows)
    (found,) = every(Results("mini", made.cells, facts))
    assert (found.metric, found.learnt, found.predicted, found.classes) == ("map", True, 3, 3)
    assert found.p == 1 / 1000
    made = Study(tmp_path / "b")
    _evaluated(made, "birds", 0, labels, rng.normal(size=(40, 4)))
    (found,) = every(Results("mini", made.cells, facts))
    assert (found.learnt, found.predicted) == (False, 3)


# --- claims ------------------------------------------------------------------------


def only(name: str, **cells):
    claim = CLAIMS[name]
    return claim.model_copy(update={"cells": claim.cells.model_copy(update=cells)})


def curve(backbone, base, pruned, rate=0.5) -> dict:
    return {
        (backbone, "fsdd-digits", "none", 1.0, "none"): base,
        (backbone, "fsdd-digits", "topk", rate, "none"): pruned,
    }


GUESSES = right(0.1)  # as many as one class has


def test_a_reference_that_guesses_enters_no_verdict(tmp_path):
    """Its drop is none of 400 clips, which would support the claim. Every contrast of it is left out alike: of drops,
    of two models, of perturbed models and of tokens."""
    runs = curve(MAE, GUESSES, GUESSES) | curve(AST, right(0.9), right(0.9))
    judged = judge(only("P0-1", datasets=("spc2",)), study(tmp_path / "a", runs))
    (part,) = judged.of("cells")
    assert (judged.verdict, part.verdict, part.value) == ("not-run", "not-run", None)
    assert part.evidence.startswith(
        "left out, as the unpruned model has not learnt enough: audiomae-tiny on fsdd-digits (10.0 %"
    )
    judged = judge(only("000-3", datasets=("spc2",), keep_rates=(0.5,)), study(tmp_path / "b", runs))
    assert {p.verdict for p in judged.of("cells")} == {"not-run"}
    perturbed = {(MAE, "fsdd-digits", "topk", 0.5, t): right(0.9 if t == "none" else 0.5) for t in ("none", "I", "II")}
    perturbed[MAE, "fsdd-digits", "none", 1.0, "none"] = GUESSES
    judged = judge(only("P0-9", datasets=("spc2",)), study(tmp_path / "c", perturbed))
    assert judged.measured == "not-run"
    low = {ONCE: {"low_of_kept": {9: np.linspace(0, 1, 60)}}}
    tokens = {(MAE, "fsdd-digits", 0.5): low, (AST, "fsdd-digits", 0.5): low}
    judged = judge(only("000-2", datasets=("spc2",)), study(tmp_path / "d", runs, tokens=tokens))
    assert judged.measured == "not-run"
    assert "left out" in judged.of("cells")[0].evidence


def test_a_pruned_model_that_collapses_stays(tmp_path):
    judged = judge(only("P0-1", datasets=("spc2",)), study(tmp_path, curve(MAE, right(0.9), GUESSES)))
    (part,) = judged.of("cells")
    assert (judged.verdict, part.value) == ("refuted", pytest.approx(80.0))


def test_without_an_unpruned_model_nothing_is_known(tmp_path):
    results = study(tmp_path, curve(MAE, None, right(0.9)))
    tuned = results.cells("finetune")[0].settings
    assert isinstance(reference(results, tuned), Absent)
    other = tuned.model_copy(update={"dataset": "esc10"})
    assert "no unpruned audiomae-tiny on esc10" in reference(results, other).why


def test_the_table_lists_all_with_their_predictions(tmp_path):
    runs = curve(MAE, GUESSES, GUESSES) | curve(AST, right(0.9), right(0.9))
    rows = [row.cells for row in table.build(study(tmp_path, runs)).rows]
    assert [(row["backbone"], row["outcome"]) for row in rows] == [(MAE, "left out"), (AST, "counts")]
    assert rows[0]["by_class"].startswith("zero 40 (40), one 40 (40)")
    assert rows[1]["said"].startswith("ast-tiny on fsdd-digits (90.0 %, by chance 10.0 %")
