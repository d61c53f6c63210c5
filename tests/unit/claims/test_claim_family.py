"""Contrasts that decide one verdict are adjusted together (Holm 1979)."""

from __future__ import annotations

import pytest
from scipy import stats

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge
from audioprune.claims.verdict import Part, adjusted
from tests.fakes.claims import right, study

CLAIMS = {claim.name: claim for claim in load()}
MAE = "audiomae-tiny"


def part(verdict: str, p: float | None, **more) -> Part:
    return Part("a", verdict, "cells", "because", p=p, **more)


def test_only_what_stands_among_all_is_settled():
    """Of four: 0.01 x 4, 0.02 x 3, 0.03 x 2 and no less than the one before it, 0.6."""
    given = [part("supported", 0.02), part("refuted", 0.01), part("inconclusive", 0.6), part("supported", 0.03)]
    found = adjusted(given)
    assert [one.holm for one in found] == pytest.approx([0.06, 0.04, 0.6, 0.06])
    assert [one.verdict for one in found] == ["inconclusive", "refuted", "inconclusive", "inconclusive"]
    assert found[0].evidence == "because; supported by itself (p 0.02), not when adjusted for 4 contrasts (p 0.06)"
    assert found[1].evidence == "because"
    assert [one.p for one in found] == [one.p for one in given]


def test_values_that_intervals_hold_count_among_the_tests_and_stay():
    """Ten printed values held against ten measured ones: one alone is another at 0.03, which is 0.3 among ten."""
    found = adjusted([part("refuted", 0.03), *[part("supported", 0.5)] * 9])
    assert [one.verdict for one in found] == ["inconclusive", *["supported"] * 9]
    assert found[0].holm == pytest.approx(0.3)


def test_what_decides_nothing_enters_no_family():
    beside = [part("supported", 0.02, counted=False), part("supported", None), part("not-run", None)]
    printed = Part("b", "supported", "arithmetic", "printed", p=0.04)
    found = adjusted([part("supported", 0.04), *beside, printed])
    assert [one.holm for one in found] == [0.04, None, None, None, None]
    assert [one.verdict for one in found] == ["supported", "supported", "supported", "not-run", "supported"]


def test_the_contrasts_of_a_claim_are_a_family(tmp_path):
    """12 of 400 clips are lost in test II at one keep-rate: p 0.001 or so alone. 6 at the others: p 0.02, which
    settles each alone, and none of five."""

    def claim(rates):
        one = CLAIMS["P0-9"].model_copy(
            update={
                "withdrawn": "",
                "quantities": {"margin": CLAIMS["P0-9"].quantities["margin"].model_copy(update={"value": 0})},
            }
        )
        return one.model_copy(
            update={"cells": one.cells.model_copy(update={"datasets": ("spc2",), "keep_rates": rates})}
        )

    rates, lost = (0.9, 0.8, 0.7, 0.6, 0.5), (7, 7, 7, 7, 20)
    runs = {}
    for rate, n in zip(rates, lost, strict=True):
        runs |= {(MAE, "fsdd-digits", "topk", rate, "none"): right(0.9)}
        runs |= {(MAE, "fsdd-digits", "topk", rate, "II"): right(0.9, first=n)}
    results = study(tmp_path, runs)
    alone = judge(claim((0.9,)), results)
    (own,) = alone.of("cells")
    assert (alone.measured, own.p == own.holm) == ("supported", True)
    n, z = 400, (7 / 403) / ((7 + 3 - 49 / 403) ** 0.5 / 403)
    assert own.p == pytest.approx(2 * stats.norm.sf(z), rel=0.3)
    parts = judge(claim(rates), results).of("cells")
    assert [one.verdict for one in parts] == ["inconclusive"] * 4 + ["supported"]
    assert all(one.low > 0 for one in parts)
    assert parts[-1].holm == pytest.approx(5 * parts[-1].p)
    assert parts[0].evidence.endswith(
        f"supported by itself (p {own.p:.2g}), not when adjusted for 5 contrasts (p {parts[0].holm:.2g})"
    )
