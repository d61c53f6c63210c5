"""The ledger without any cell: the seven misreadings, what is superseded, what is not run and why."""

from __future__ import annotations

from decimal import Decimal

import pytest

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge, judge_all
from audioprune.results.study import Results
from tests.fakes.claims import right, study

CLAIMS = {claim.name: claim for claim in load()}
CORRECTED = {
    "000-6": ("86.0", "14.0", 86.07),
    "000-7": ("74.9", "25.1", 74.92),
    "000-8": ("66.1", "33.9", 66.78),
    "000-9": ("44.6", "55.4", 45.69),
    "000-10": ("74.1", "25.9", 74.25),
    "000-11": ("56.7", "43.3", 56.63),
    "001-4": ("88.4", "11.6", 88.43),
    "001-5": ("86.0", "14.0", 86.07),
}


@pytest.mark.parametrize(("name", "values"), CORRECTED.items())
def test_a_remaining_share_that_is_claimed_as_a_reduction(name, values):
    remains, saved, exact = values
    judged = judge(CLAIMS[name], Results("paper", []))
    assert (judged.verdict, judged.arithmetic, judged.corrected_verdict) == ("misstated", "supported", "not-run")
    assert judged.found["macs"].to("pct_remaining").value == Decimal(remains)
    assert judged.found["macs"].to("pct_reduction").value == Decimal(saved)
    assert judged.misread["macs"] == {
        "claimed": f"{remains} % of the MACs saved",
        "is": f"{remains} % of the MACs remaining",
    }
    as_printed = f"{remains} % of the MACs remaining as printed, which is {saved} % of the MACs saved"
    assert f"{as_printed}, and exactly {exact:.2f} % remaining, {100 - exact:.2f} % saved" in judged.corrected
    assert f"is {remains} % of the MACs remaining" in judged.brief
    assert f"exactly {exact:.2f} % remaining, {100 - exact:.2f} % saved. " in judged.brief
    assert f"{saved} % of the MACs saved" not in judged.brief  # what the rounding of the print gives
    assert judged.shown_in == "claims"  # the evidence is arithmetic
    (macs,) = [p for p in judged.parts if p.name == "MACs"]
    assert round(macs.value, 2) == exact
    assert f"exact: {exact:.2f} % remaining, {100 - exact:.2f} % saved" in macs.evidence
    assert judged.command == f"snakemake results/table{7 if name == '001-4' else 1}.tex"  # FastAST is only timed


def test_fastast_is_not_run_and_merging_at_the_usual_stride_stands_beside(tmp_path):
    runs = {
        ("ast-b", "esc50", "none", 1.0, "none"): right(0.9),
        ("ast-b", "esc50", "none>tome.r9", 1.0, "none"): right(0.8),
    }
    claim = CLAIMS["001-4"]
    claim = claim.model_copy(update={"cells": claim.cells.model_copy(update={"datasets": ("esc50",)})})
    judged = judge(claim, study(tmp_path, runs, "paper"))
    own, beside = judged.parts[-2:]
    assert (own.verdict, own.counted) == ("not-run", True)
    assert own.evidence.startswith("the model is only timed")  # on ESC-50 88.4 % is no known setting
    paper = judge(CLAIMS["001-4"], Results("paper", [])).parts[-1]
    assert paper.evidence.startswith("ToMe, r = 20 at stride 10 is only timed")
    assert (beside.counted, beside.value) == (False, pytest.approx(10.0))
    assert beside.name == "off the shelf: tome.r9 of ast-b on esc50"
    assert "claimed 0.6" in beside.evidence


def test_map_that_is_claimed_as_accuracy():
    for name, value in (("000-6", "38.7"), ("000-10", "37.9")):
        misread = judge(CLAIMS[name], Results("paper", [])).misread
        assert misread["score"] == {"claimed": f"{value} % accuracy", "is": f"{value} mAP"}
    assert "score" not in judge(CLAIMS["000-7"], Results("paper", [])).misread


def test_a_claim_without_its_keep_rate_gets_it():
    judged = judge(CLAIMS["001-5"], Results("paper", []))
    assert any("fits keep-rate 0.9, which the claim does not state" in p.evidence for p in judged.parts)


def test_a_true_reduction_is_not_misstated():
    claim = CLAIMS["000-7"]
    saved = claim.quantities["macs"].model_copy(update={"value": Decimal("25.1")})
    judged = judge(claim.model_copy(update={"quantities": claim.quantities | {"macs": saved}}), Results("paper", []))
    assert judged.misread == {}
    assert judged.verdict == "not-run"
    assert judged.arithmetic == "supported"


def test_a_wrong_number_is_refuted_not_misstated():
    claim = CLAIMS["000-7"]
    saved = claim.quantities["macs"].model_copy(update={"value": Decimal("50.0")})
    judged = judge(claim.model_copy(update={"quantities": claim.quantities | {"macs": saved}}), Results("paper", []))
    assert judged.misread == {}
    assert judged.arithmetic == "partly"  # value and drop still agree
    assert [p.verdict for p in judged.of("arithmetic")] == ["refuted", "supported"]


def test_verdicts_without_cells():
    found = {one.claim.name: one.verdict for one in judge_all(Results("paper", []))}
    assert {name for name, verdict in found.items() if verdict == "misstated"} == set(CORRECTED)
    assert {name for name, verdict in found.items() if verdict == "superseded"} == {
        f"P0-{n}" for n in (2, 3, 6, 7, 8, 9, 11, 14, 15)
    }
    assert {name for name, verdict in found.items() if verdict == "open"} == {"P0-13"}
    assert set(found.values()) == {"misstated", "superseded", "not-run", "open"}
    for one in judge_all(Results("paper", [])):
        assert one.own_data
        assert one.command.startswith("snakemake results/")
        assert one.brief.endswith(".")
        assert "\n" not in one.brief + one.evidence


@pytest.mark.parametrize(
    ("unpruned", "pruned", "expected"),
    [
        (right(0.9505, 2000), right(0.9432, 2000), "supported"),
        (right(0.9505, 2000), right(0.90, 2000), "refuted"),
        (right(0.9505, 2000), None, "not-run"),
    ],
)
def test_a_corrected_statement_on_its_own_data(tmp_path, unpruned, pruned, expected):
    runs = {("ast-b", "esc50", "none", 1.0, "none"): unpruned, ("ast-b", "esc50", "topk", 0.8, "none"): pruned}
    judged = judge(CLAIMS["000-7"], study(tmp_path, runs, "paper"))
    assert (judged.verdict, judged.own_data) == ("misstated", True)
    assert judged.measured == expected
    assert judged.corrected_verdict == {"refuted": "partly"}.get(expected, expected)
    names = {p.name for p in judged.of("cells")}
    assert names == {"accuracy of ast-b on esc50", "drop of ast-b on esc50"}


def test_printed_values_are_not_judged_on_other_data(tmp_path):
    runs = {("ast-tiny", "esc10", m, r, "none"): right(0.9) for m, r in (("none", 1.0), ("topk", 0.8))}
    judged = judge(CLAIMS["000-7"], study(tmp_path, runs))
    assert not judged.own_data
    counted, beside = judged.of("cells")
    assert (counted.verdict, counted.counted, beside.counted) == ("not-run", True, False)
    assert "judged on esc50 at the published size only; beside it: ast-tiny on esc10" in counted.evidence
    assert counted.command == "snakemake results/table1.tex"


def test_a_claim_is_mapped_by_kind_of_dataset(tmp_path):
    runs = {
        (b, "esc10", m, r, "none"): right(0.9)
        for b in ("audiomae-tiny", "ast-tiny")
        for m, r in (("none", 1.0), ("topk", 0.5))
    }
    judged = judge(CLAIMS["P0-12"], study(tmp_path, runs))
    assert not judged.own_data
    (part,) = judged.of("cells")
    assert part.name == "audiomae-tiny against ast-tiny on esc10 at 0.5"
    assert len(part.cells) == 4
