"""Claims about noise: every verdict by made models, and that the table shows what the verdicts rest on."""

from __future__ import annotations

import pytest

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge
from audioprune.results.study import Results
from audioprune.tables import robustness as table
from tests.fakes.noise import NONE, Asked, noisy, other, shares, topk
from tests.fakes.studies import shared

CLAIMS = {claim.name: claim for claim in load()}


def degraded(folder, *pruned: tuple, unpruned=(0.9, 0.8)) -> Results:
    """Four times as many clips as in one fold, so that ten points are clear."""
    asked = Asked(folder)
    for fold in (1, 2, 3, 4):
        asked.model(shares(*unpruned), fold=fold)
        for rate, right in zip((0.5, 0.7), pruned):
            asked.model(shares(*right), topk(rate), fold=fold)
    return asked.results


@pytest.mark.parametrize(
    ("pruned", "verdict"),
    [
        (((0.9, 0.6),), "supported"),
        (((0.9, 0.6), (0.7, 0.8)), "partly"),  # the other gains in noise
        (((0.7, 0.8),), "refuted"),
        (((0.9, 0.8),), "refuted"),  # equal, and 400 clips exclude a point
        (((0.88, 0.77),), "inconclusive"),  # twelve clips more are lost in noise, and eight when clean
        (((0.9, 0.6), (0.88, 0.77)), "inconclusive"),
    ],
)
def test_whether_noise_costs_more_has_each_verdict(tmp_path, pruned, verdict):
    found = judge(CLAIMS["RQ2-a"], degraded(tmp_path, *pruned))
    assert found.verdict == verdict
    assert len(found.parts) == len(pruned)
    assert found.judged_on == "on fsdd-digits with tiny models"
    assert found.shown_in == "robustness"


def test_a_verdict_that_turns_with_the_scale_is_partly(tmp_path):
    """Clean 99 and 75 %, in noise 80 and 45 %: 11 points more in noise, 1.4 less in logits."""
    found = judge(CLAIMS["RQ2-a"], degraded(tmp_path, (0.75, 0.45), unpruned=(0.99, 0.8)))
    assert found.verdict == "partly"
    assert "depends on the scale" in found.parts[0].evidence


@pytest.mark.parametrize(
    ("ranked", "random", "verdict"),
    [
        ((0.8, 0.3), (0.7, 0.6), "supported"),
        ((0.8, 0.7), (0.8, 0.3), "refuted"),
        ((0.8, 0.5), (0.8, 0.5), "inconclusive"),
    ],
)
def test_whether_the_selection_is_misled_has_each_verdict(tmp_path, ranked, random, verdict):
    asked = Asked(tmp_path)
    for fold in (1, 2, 3, 4):
        asked.model(shares(0.9, 0.8), fold=fold)
        asked.model(shares(*ranked), other("topk"), NONE, fold=fold)
        asked.model(shares(*random), other("random"), NONE, fold=fold)
    found = judge(CLAIMS["RQ2-b"], asked.results)
    assert found.verdict == verdict
    assert [part.name for part in found.parts] == ["ast-tiny on fsdd-digits, off the shelf: topk at 0.5"]


def test_a_study_that_asks_nothing_about_noise_says_how_it_would():
    for name in ("RQ2-a", "RQ2-b"):
        found = judge(CLAIMS[name], shared())
        assert found.verdict == "not-run"
        assert "under `robustness`; add it to studies.mini in config.yaml" in found.evidence


def test_models_at_chance_are_in_no_verdict(tmp_path):
    asked = Asked(tmp_path)
    asked.model(shares(0.12, 0.1))
    asked.model(shares(0.12, 0.02), topk(0.5))
    found = judge(CLAIMS["RQ2-a"], asked.results)
    assert found.verdict == "not-run"
    assert "has not learnt enough" in found.evidence


def test_the_table_shows_every_part():
    rows = [row.cells for row in table.build(noisy()).rows]
    for name, column in (("RQ2-a", "interaction"), ("RQ2-b", "selection")):
        parts = [part for part in judge(CLAIMS[name], noisy()).parts if part.value is not None]
        shown = [row for row in rows if row.get("question") == CLAIMS[name].predicate.partition(".")[2]]
        assert [(p.value, p.low, p.verdict, p.holm) for p in parts] == [
            (row[column].value, row[column].low, row["verdict"], row["p_holm"]) for row in shown
        ]
        assert parts


def test_the_first_page_counts_and_names_all():
    rows = [row.cells for row in table.build(noisy()).rows]
    said = table.HEADLINE.said(rows)
    assert said.startswith(
        "0 of 5 models trained with topk lose more to noise than the unpruned model (5 inconclusive): "
    )
    assert "0 of 2 models pruned off the shelf by topk lose more to it than a random choice" in said
    assert "audiomae-tiny on fsdd-digits, trained with topk at 0.7 +5.2 [−0.9, +11.1] points" in said
    assert table.HEADLINE.said([]) == ""
