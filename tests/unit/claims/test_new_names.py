"""Claims of what no paper has printed: of other datasets, methods and documents than the claims that are there."""

from __future__ import annotations

import pytest

from audioprune.claims import ledger
from audioprune.claims.claim import FOLDER, load
from audioprune.claims.ledger import judge
from audioprune.cli.claims import entry
from audioprune.errors import UserError
from audioprune.exhibits import named
from audioprune.results.study import Results
from audioprune.tables.claims import _rows
from tests.fakes.claims import right, study
from tests.fakes.studies import facts

CLAIMS = {claim.name: claim for claim in load()}
MAE, AST, DIGITS = "audiomae-tiny", "ast-tiny", "fsdd-digits"


def only(name: str, **cells):
    claim = CLAIMS[name]
    return claim.model_copy(update={"cells": claim.cells.model_copy(update=cells)})


@pytest.mark.parametrize("name", CLAIMS)
def test_a_dataset_without_published_numbers_is_not_judged_by_any(name):
    judged = judge(only(name, datasets=("demo-words",)), Results("paper", [], facts))
    assert judged.measured == "not-run"
    assert judged.arithmetic is None or "macs" in judged.claim.quantities  # which are compared with an exact count
    assert all(part.evidence and "nan" not in part.evidence for part in judged.parts)


def runs(**correct: dict) -> dict:
    """Evaluations of AudioMAE by method, at keep-rate 0.7, beside its unpruned model."""
    pruned = {(MAE, DIGITS, method, 0.7, "none"): own for method, own in correct.items()}
    return {(MAE, DIGITS, "none", 1.0, "none"): right(0.9)} | pruned


def test_savings_are_those_of_the_claims_methods(tmp_path):
    claim = only("000-1", backbones=("audiomae",), datasets=("spc2",), methods=("random",))
    judged = judge(claim, study(tmp_path, runs(topk=right(0.9), random=right(0.6))))
    (part,) = judged.of("cells")
    assert (part.name, part.verdict) == ("audiomae-tiny on fsdd-digits with random", "refuted")
    assert judged.arithmetic is None  # what is printed is of topk


def test_drops_that_are_compared_are_those_of_the_claims_methods(tmp_path):
    claim = only("000-3", backbones=("audiomae", "ast"), datasets=("spc2",), methods=("random",))
    others = {(AST, *where): own for (_, *where), own in runs(topk=right(0.6), random=right(0.9)).items()}
    judged = judge(claim, study(tmp_path, runs(topk=right(0.9), random=right(0.6)) | others))
    (part,) = judged.of("cells")
    name = "audiomae-tiny against ast-tiny on fsdd-digits with random at 0.7"
    assert (part.name, part.verdict) == (name, "supported")


def test_attention_is_compared_with_the_claims_methods(tmp_path):
    claim = only("001-6", datasets=("spc2",), methods=("random",))
    parts = judge(claim, study(tmp_path, runs(topk=right(0.9), random=right(0.6)))).of("cells")
    ours = next(part for part in parts if part.verdict != "not-run")
    assert (ours.name[:24], ours.verdict) == ("attention against random", "supported")


@pytest.mark.parametrize("name", ["000-4", "P0-2", "P0-6", "P0-13", "P0-14"])
def test_a_method_that_a_predicate_cannot_judge_is_refused(tmp_path, name):
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert "methods:" not in text
    (tmp_path / f"{name}.yaml").write_text(text.replace("\ncells:\n", "\ncells:\n  methods: [random]\n"))
    with pytest.raises(UserError, match="judges topk and not random"):
        load(tmp_path)


def test_another_document_has_no_status_and_no_mark():
    known = CLAIMS["P0-1"]
    other = known.sources[0].model_copy(update={"document": "a talk"})
    for source, status, mark in ((known.sources[0], "withdrawn", "†"), (other, "", "")):
        claim = known.model_copy(update={"sources": (source,)})
        judged = judge(claim, Results("paper", [], facts))
        assert entry(judged, "published")["status"] == status
        assert _rows(judged)[0].group.startswith(f"P0-1{mark} {judged.verdict}")


def test_a_claim_that_nothing_was_found_for_is_not_run(monkeypatch):
    monkeypatch.setattr(ledger, "predicate", lambda claim: lambda claim, evidence: [])
    judged = judge(CLAIMS["P0-4"], Results("mini", [], facts))
    (part,) = judged.parts
    assert (judged.verdict, part.verdict) == ("not-run", "not-run")
    assert judged.evidence.startswith("Not run: the study mini has no cells that P0-4 can be judged by")
    assert judged.command.startswith("snakemake results/mini/")


def test_no_table_and_figure_share_a_name():
    assert not set(named.names("table")) & set(named.names("figure"))  # and so the CSV of both
