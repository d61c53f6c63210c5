"""Which models a claim is judged on: those trained as its source says, of its own size, over all folds and seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge
from audioprune.results.recipes_printed import follows
from tests.fakes.claims import ONCE, right, study

CLAIMS = {claim.name: claim for claim in load()}
RUNS = [(fold, seed) for fold in (1, 2) for seed in (12, 34, 56)]
P0, P2, AST = "audiomae-b@p0", "audiomae-b@p2", "ast-b"


def only(name: str, **cells):
    claim = CLAIMS[name]
    return claim.model_copy(update={"cells": claim.cells.model_copy(update=cells)})


def curve(backbone: str, pruned: np.ndarray, rate=0.5, runs=(ONCE,), dataset="esc50") -> dict:
    """An unpruned model that has nine clips of ten right, and a pruned one, in every run."""
    at = (backbone, dataset)
    return {
        (*at, "none", 1.0, "none"): {run: right(0.9) for run in runs},
        (*at, "topk", rate, "none"): dict.fromkeys(runs, pruned),
    }


def trained_by(results, part) -> set[tuple[bool, bool]]:
    """Whether P0's, whether the released scripts' recipe, of what a part rests on."""
    tuned = [results.cell(path).inputs["finetune"].settings for path in part.cells]
    assert tuned
    return {(follows(s, "ce", "p0"), follows(s, "ce", "p2")) for s in tuned}


def test_each_claim_is_judged_on_the_recipe_of_its_source(tmp_path):
    """P0's model loses nothing at keep-rate 0.5 and that of the released scripts 20 points. Neither decides the other's
    claim, whichever the study has first."""
    for folder, order in (("a", (P2, P0)), ("b", (P0, P2))):
        runs = {}
        for backbone in order:
            runs |= curve(backbone, right(0.9) if backbone == P0 else right(0.7), runs=RUNS)
        results = study(tmp_path / folder, runs, "paper")
        judged = judge(only("P0-1", datasets=("esc50",)), results)
        (part,) = judged.of("cells")
        assert (part.value, trained_by(results, part)) == (pytest.approx(0), {(True, False)})
        released = CLAIMS["P0-1"].model_copy(update={"profile": "p2", "cells": judged.claim.cells})
        (part,) = judge(released, results).of("cells")
        assert (part.value, part.verdict, trained_by(results, part)) == (pytest.approx(20), "refuted", {(False, True)})
        assert judged.own_data
        assert not judged.judged_on


def test_without_models_of_its_recipe_a_claim_is_not_run_and_says_why(tmp_path):
    results = study(tmp_path, curve(P2, right(0.9)), "paper")
    judged = judge(only("P0-1", datasets=("esc50",)), results)
    (part,) = judged.of("cells")
    assert (judged.verdict, part.value) == ("not-run", None)
    assert part.evidence.startswith("the study paper has no evaluation of audiomae on esc50 by the recipe of P0;")
    judged = judge(only("P0-1", datasets=("spc2",)), results)
    assert "no evaluation of audiomae on spc2; add it" in judged.of("cells")[0].evidence


def test_two_models_pair_over_the_seeds_that_both_have(tmp_path):
    """AST is trained alike by both sources; AudioMAE by P0's recipe has one of its seeds."""
    runs = curve(AST, right(0.88), runs=RUNS) | curve(P2, right(0.5), runs=RUNS)
    runs |= curve(P0, right(0.8), runs=[(1, 12), (2, 12)])
    results = study(tmp_path, runs, "paper")
    judged = judge(only("P0-12", keep_rates=(0.5,)), results)
    (part,) = judged.of("cells")
    assert (part.verdict, part.value, part.seeds, part.n) == ("supported", pytest.approx(8), 1, 800)
    assert len(part.cells) == 8
    assert all("12" in path for path in part.cells)


def test_tokens_are_those_of_the_recipe(tmp_path):
    """P0's model keeps signal less often than blind selection would, that of the released scripts more often."""

    def kept(excess: float) -> dict:
        own = excess + np.random.default_rng(0).normal(0, 0.02, 60)
        return {ONCE: {"excess": dict.fromkeys((3, 6, 9), own)}}

    runs = curve(P2, right(0.9)) | curve(P0, right(0.9))
    tokens = {(P2, "esc50", 0.5): kept(0.3), (P0, "esc50", 0.5): kept(-0.3)}
    claim = only("P0-14", datasets=("esc50",))
    parts = judge(claim, study(tmp_path / "a", runs, "paper", tokens=tokens)).of("cells")
    assert [part.verdict for part in parts] == ["supported"] * 3
    assert all(part.value == pytest.approx(-30, abs=1) for part in parts)
    del tokens[P0, "esc50", 0.5]
    judged = judge(claim, study(tmp_path / "b", runs, "paper", tokens=tokens))
    assert {part.verdict for part in judged.of("cells")} == {"not-run"}


@pytest.mark.parametrize(("discarded", "expected"), [(P2, "supported"), (P0, None)])
def test_discards_are_those_of_the_recipe(tmp_path, discarded, expected):
    """Of a study that has both models, and discards of one of them."""
    claim = only("001-6", backbones=("audiomae",), datasets=("esc50",))
    lost = {("C1C2", 3, False): right(0.5), ("C1C2", 3, True): right(0.6)}
    runs = curve(P0, right(0.9)) | curve(P2, right(0.9))
    results = study(tmp_path, runs, "paper", discards={(discarded, "esc50"): lost})
    found = {p.name: p for p in judge(claim, results).of("cells") if "discarded" in p.name}
    own = found.get("tokens of C1 and C2 discarded, audiomae-b on esc50, after block 3")
    assert (own and own.verdict) == expected
    if not expected:
        (absent,) = found.values()
        assert "discarding of clusters for audiomae-b on esc50 by the recipe of the released scripts" in absent.evidence


def test_all_folds_and_seeds_count_and_seeds_that_agree_are_no_new_clips(tmp_path):
    """24 of 800 clips are lost in all three seeds: 3 points, by the closed form of few changed clips on 800."""
    pruned = right(0.9, first=12)
    results = study(tmp_path, curve(P0, pruned, runs=RUNS), "paper")
    (part,) = judge(only("P0-1", datasets=("esc50",)), results).of("cells")
    assert (part.value, part.n, part.seeds, len(part.cells)) == (pytest.approx(3), 800, 3, 12)
    n, lost = 800, 24
    middle = lost / (n + 3)
    error = np.sqrt(lost + 3 - (n + 3) * middle**2) / (n + 3)
    wanted = [100 * (middle + z * error) for z in stats.norm.ppf((0.025, 0.975))]
    assert (part.low, part.high) == pytest.approx(wanted, abs=0.1)
    upper = 100 * (middle + stats.norm.ppf(0.95) * error)
    said = float(part.evidence.partition("upper bound ")[2].partition(";")[0])
    assert said == pytest.approx(upper, abs=0.1)
    assert part.verdict == "refuted"


# --- sizes and data ---------------------------------------------------------------------


def test_a_tiny_model_on_the_claimed_data_is_said_to_be_tiny(tmp_path):
    runs = curve("audiomae-tiny", right(0.9)) | curve("ast-tiny", right(0.5))
    judged = judge(only("P0-12", keep_rates=(0.5,)), study(tmp_path, runs, "mini"))
    assert judged.verdict_where == "refuted on esc50 with tiny models"
    assert not judged.own_data


def test_printed_values_are_not_judged_on_tiny_models(tmp_path):
    """Nor on other data: what those show stands beside, whatever it is."""
    for folder, dataset in (("a", "esc50"), ("b", "esc10")):
        runs = curve("ast-tiny", right(0.5), rate=0.8, dataset=dataset)
        judged = judge(CLAIMS["000-7"], study(tmp_path / folder, runs, "mini"))
        assert judged.verdict == "misstated"
        assert judged.measured == "not-run"
        own, *beside = judged.of("cells")
        assert (own.verdict, own.counted) == ("not-run", True)
        assert f"at the published size only; beside it: ast-tiny on {dataset}" in own.evidence
        assert beside
        assert not any(part.counted for part in beside)
    judged = judge(CLAIMS["000-7"], study(tmp_path / "c", curve(AST, right(0.5), rate=0.8), "paper"))
    assert {part.counted for part in judged.of("cells")} == {True}


def test_a_verdict_names_what_it_was_judged_on_and_not_what_was_left_out(tmp_path):
    """Of two datasets of the kind one has a model that only guesses."""
    runs = curve("audiomae-tiny", right(0.5), dataset="esc10", rate=0.7)
    runs |= curve("audiomae-tiny", right(0.1), dataset="fsdd-digits", rate=0.7)
    runs["audiomae-tiny", "fsdd-digits", "none", 1.0, "none"] = {ONCE: right(0.1)}
    claim = only("000-1", backbones=("audiomae",), datasets=("spc2", "esc50"))
    judged = judge(claim, study(tmp_path, runs, "mini"))
    assert judged.verdict_where == "refuted on esc10 with tiny models"
