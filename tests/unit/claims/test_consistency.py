"""Relations between claims: as they are worded, and what is left of the contradictions once they are corrected."""

from __future__ import annotations

from audioprune.claims.claim import load
from audioprune.claims.consistency import relations
from audioprune.claims.evidence import Evidence
from audioprune.claims.readings import readings
from audioprune.results.study import Results


def found(kind: str) -> dict[tuple[str, ...], str]:
    return {r.ids: r.text for r in relations(load()) if r.kind == kind}


def test_savings_that_contradict_the_band():
    band = {ids[0]: text for ids, text in found("contradiction").items() if ids[1] == "000-1"}
    assert set(band) == {"000-6", "000-7", "000-8", "000-9", "000-10", "000-11", "001-5"}
    assert band["000-6"] == "86.0 % of the MACs saved at keep-rate 0.9, 30 to 40 % by 000-1"
    assert band["001-5"] == "86.0 % of the MACs saved at an unstated keep-rate, 30 to 40 % by 000-1"


def test_more_tokens_cannot_save_more():
    orders = {ids: text for ids, text in found("contradiction").items() if ids[1] != "000-1"}
    assert set(orders) == {("000-8", "000-9"), ("000-7", "000-11"), ("000-6", "000-10")}
    assert orders["000-6", "000-10"] == (
        "keeping more tokens would save more: 86.0 % of the MACs saved at keep-rate 0.9, "
        "74.1 % of the MACs saved at keep-rate 0.8"
    )


def test_corrected_claims_do_not_contradict_each_other():
    paper = Results("paper", [])
    corrected = [c.model_copy(update={"quantities": readings(c, Evidence(paper, c))}) for c in load()]
    left = [r for r in relations(corrected) if r.kind == "contradiction"]
    assert {r.ids[1] for r in left} == {"000-1"}  # other keep-rates save less or more than the band
    assert {r.ids[0] for r in left} == {"000-6", "000-7", "000-9", "000-10", "000-11", "001-5"}
    assert "000-8" not in {one for r in left for one in r.ids}  # 33.9 % lies within


def test_duplicates_and_baselines():
    assert set(found("duplicate")) == {("000-1", "001-1"), ("000-2", "001-7"), ("000-3", "001-2"), ("000-5", "001-3")}
    assert set(found("restates")) == {("000-5", "000-3"), ("001-5", "000-6"), ("P0-12", "000-3")}
    assert found("same baseline") == {
        ("000-6", "000-10"): "value plus drop gives 38.7 for ast unpruned on as20k",
        ("000-7", "000-11"): "value plus drop gives 95.05 for ast unpruned on esc50",
        ("000-8", "000-9"): "value plus drop gives 97.33 for ast unpruned on spc2",
    }


def test_drops_that_disagree_are_a_contradiction():
    claims = [c for c in load() if c.name in ("000-7", "000-11")]
    other = claims[1].quantities["drop"].model_copy(update={"value": claims[1].quantities["drop"].value + 1})
    claims[1] = claims[1].model_copy(update={"quantities": claims[1].quantities | {"drop": other}})
    (one,) = [r for r in relations(claims) if "plus drop" in r.text]
    assert one.kind == "contradiction"
    assert one.text == "value plus drop gives 95.05, 96.05 for ast unpruned on esc50"
