"""Forensic checks: each on made-up numbers, and what they find in the published ones."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune import registry
from audioprune.forensics import (
    costs_decoded,
    drops,
    fractions,
    granularity,
    monotonicity,
    null_model,
    repeats,
    transposition,
)
from audioprune.results.findings import MEANING, Finding, all_findings, half_unit


def found(module, **wanted) -> list[Finding]:
    return [f for f in module.findings() if all(getattr(f, k) == v for k, v in wanted.items())]


@pytest.mark.parametrize("name", registry.names("forensics"))
def test_every_check_has_a_title_and_tidy_findings(name):
    module = registry.get("forensics", name)
    assert module.TITLE
    assert module.findings()
    for finding in module.findings():
        assert finding.check == name
        assert finding.where
        assert finding.printed
        assert finding.expected
        assert finding.status in ("withdrawn", "second-hand", "released")
        assert finding.deviation == finding.deviation


def test_a_finding_without_a_meaning_is_refused():
    with pytest.raises(ValueError, match="did you mean 'misread'"):
        Finding("x", "g", "w", "1", "2", 1.0, "pp", "misred", "withdrawn")
    assert {f.verdict for f in all_findings()} <= set(MEANING)


# --- what remains, or what is saved ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "rate", "printed", "saved"),
    [
        ("as20k", 0.9, "86.0", 14.0),
        ("as20k", 0.8, "74.1", 25.9),
        ("esc50", 0.8, "74.9", 25.1),
        ("esc50", 0.6, "56.7", 43.3),
        ("spc2", 0.7, "66.1", 33.9),
        ("spc2", 0.4, "44.6", 55.4),
    ],
)
def test_six_percentages_are_what_remains_by_one_rule(dataset, rate, printed, saved):
    possible = costs_decoded.candidates("ast-b", dataset, "topk", rate)
    assert f"{possible[costs_decoded.ROUNDED]:.1f}" == printed
    assert costs_decoded.read(printed, possible).unit == "pct_remaining"
    (one,) = [f for f in costs_decoded.findings() if f.printed == f"{printed} % reduction"]
    assert (one.verdict, one.expected) == ("misread", f"{printed} % remaining, {saved} % reduction")
    assert abs(one.deviation) <= 0.05


def test_tome_is_r_20_at_stride_10():
    possible = costs_decoded.candidates("ast-b", "as20k", "tome", None)
    assert {k: round(v, 2) for k, v in possible.items()} == {
        "ToMe, r = 20 at stride 10": 88.43,
        "ToMe, r = 9 at stride 16": 88.5,
    }
    assert costs_decoded.read("88.4", possible).rule == "ToMe, r = 20 at stride 10"
    assert len(found(costs_decoded, verdict="misread")) == 7


def test_a_true_reduction_and_a_stray_number_are_read_as_such():
    possible = costs_decoded.candidates("ast-b", "esc50", "topk", 0.7)  # 65.1 remaining
    assert costs_decoded.read("34.9", possible).unit == "pct_reduction"
    assert costs_decoded.read("50.0", possible).unit == ""


# --- random selection ------------------------------------------------------------------------


def test_null_model_of_table_2_is_random_selection_within_a_fifth_of_a_point():
    own = [f for f in null_model.findings() if f.group.startswith("P0 Table 2") and f.group.endswith("ratio B")]
    assert len(own) == 36
    assert max(abs(f.deviation) for f in own) == pytest.approx(0.20, abs=1e-9)
    assert {f.verdict for f in own} == {"as random"}


def test_ratio_a_of_table_2_implies_one_signal_share_a_dataset():
    own = [f for f in null_model.findings() if f.group.startswith("P0 Table 2") and f.group.endswith("ratio A")]
    assert len(own) == 36
    means = sorted({float(f.expected.removesuffix(" %, the mean")) for f in own})
    assert means == pytest.approx([66.2, 66.6, 83.1, 92.7], abs=0.1)  # spc2, voxceleb1, esc50, as20k
    assert max(abs(f.deviation) for f in own) < 0.6


def test_null_model_of_table_5():
    largest = {}
    for f in null_model.findings():
        if f.group.startswith("P0 Table 5") and f.group.endswith("ratio B"):
            largest[f.group] = max(largest.get(f.group, 0), abs(f.deviation))
    assert largest["P0 Table 5, audiomae-b by class-token score, ratio B"] == pytest.approx(0.3125)
    assert largest["P0 Table 5, ast-b by class-token score, ratio B"] == pytest.approx(23.3)
    verdicts = {f.group: f.verdict for f in null_model.findings()}
    assert verdicts["P0 Table 5, audiomae-b by class-token score, ratio B"] == "as random"
    assert verdicts["P0 Table 5, ast-b by class-token score, ratio B"] == "not random"


def test_kept_counts_and_excess():
    assert [null_model.kept(512, 0.6, s) for s in range(3)] == [308, 185, 111]
    assert null_model.excess(75.0, 64, 0.5, 0) == 25.0
    assert null_model.implied_signal(33.0, 64, 0.5, 2) == 66.0


@given(st.integers(8, 512), st.sampled_from([0.9, 0.7, 0.5]), st.integers(0, 2), st.floats(0.05, 0.95))
def test_random_selection_has_no_excess_and_implies_its_own_share(patches, rate, stage, share):
    k = null_model.kept(patches, rate, stage)
    entering = null_model.kept(patches, rate, stage - 1) if stage else patches
    assert null_model.excess(100 * k / patches, patches, rate, stage) == pytest.approx(0)
    ratio_a = 100 * share * k / entering
    assert null_model.implied_signal(ratio_a, patches, rate, stage) == pytest.approx(100 * share)


# --- granularity ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "clips", "fewest"),
    [
        ("94.30", 2000, 1),
        ("94.32", 2000, 2),
        ("94.37", 2000, 2),
        ("95.05", 2000, 1),
        ("94.26", 8251, 1),
        ("50.1", 2, 0),
    ],
)
def test_smallest_number_of_runs(printed, clips, fewest):
    assert granularity.runs(printed, clips, 25) == fewest


@given(st.integers(10, 3000), st.data())
def test_every_true_percentage_is_possible(clips, data):
    right = data.draw(st.integers(0, clips))
    assert granularity.possible(f"{100 * right / clips:.4f}", clips)


def test_p0_has_one_run_on_esc50_and_p2_has_more():
    esc = {f.printed: f.verdict for f in granularity.findings() if "esc50" in f.group}
    assert {v for k, v in esc.items() if k not in ("94.32", "94.37")} == {"one run"}
    assert (esc["94.32"], esc["94.37"]) == ("several runs", "several runs")
    assert not any("spc2" in f.group for f in granularity.findings())  # 0.01 is coarser than one clip


# --- exact fractions ------------------------------------------------------------------------


def test_correlations_are_fractions_of_the_full_sets_and_of_no_others():
    assert len(found(fractions, verdict="exact fraction")) == 216
    first = float(fractions.findings()[0].printed)
    assert fractions.concordant(first, fractions.pairs(11005, 64)) is not None
    for clips, tokens in ((11004, 64), (9981, 64), (11005, 58), (11005, 32)):  # nor what is left at keep-rate 0.5
        assert fractions.concordant(first, fractions.pairs(clips, tokens)) is None


@given(st.integers(1, 10**10), st.data())
def test_a_fraction_is_found_again_and_no_other_number_is_one(n, data):
    c = data.draw(st.integers(0, n))
    value = (2 * c - n) / n
    assert fractions.concordant(value, n) == c
    assert value == float(Fraction(2 * c - n, n))
    assert fractions.concordant(math.nextafter(value, 2 if value < 1 else 0), n) is None


# --- digits, order, sums ------------------------------------------------------------------------


def test_31_12_is_a_transposition_of_31_21():
    own = found(transposition, verdict="probable digit transposition")
    assert [(f.printed, f.expected, round(f.deviation, 2)) for f in own] == [("31.12", "31.21", -0.09)] * 2
    assert {f.where.split(", ")[1] for f in own} == {"audiomae-b on voxceleb1", "audiomae-b on as20k"}
    assert sorted(f.printed for f in found(transposition, verdict="off by rounding")) == [
        "23.65",
        "23.65",
        "27.12",
        "27.12",
    ]
    assert len(found(transposition, verdict="as expected")) == 18


def test_swaps_and_judgements():
    assert transposition.swaps("31.12") == {"13.12", "31.21"}
    assert transposition.swaps("11") == set()
    assert transposition.judge("31.12", 31.2137) == "probable digit transposition"
    assert transposition.judge("31.21", 31.2137) == "as expected"
    assert transposition.judge("27.12", 27.1073) == "off by rounding"
    assert transposition.judge("30.00", 31.2137) == "not explained"
    assert half_unit("31.12") == Decimal("0.005")
    assert half_unit("270") == Decimal("0.5")


def test_order_along_the_keep_rates():
    assert monotonicity.breaks([5.0, 4.0, 4.0, 3.0], rising=False) == [1]
    assert monotonicity.breaks([5.0, 4.0, 4.0, 3.0], rising=False, strict=False) == []
    assert monotonicity.breaks([1.0, 2.0, 1.5], rising=True) == [1]
    own = [(f.where.partition(", ")[2], f.deviation) for f in found(monotonicity, verdict="not monotone")]
    assert [(where, round(off, 2)) for where, off in own] == [
        ("audiomae-b on esc50, keep-rate 0.6", 0.25),
        ("audiomae-b on voxceleb1, keep-rate 0.9", 0.02),
        ("ast-b on esc50, keep-rate 0.6", 0.05),
    ]


def test_values_and_drops_lead_back_to_the_baselines():
    assert drops.baseline("94.32", "0.73") == Decimal("95.05")
    assert drops.baseline("38.7", "0.0") == Decimal("38.7")
    assert {f.verdict for f in drops.findings()} == {"as expected"}
    assert {f.note for f in drops.findings()} >= {"implies 38.7", "implies 95.05", "implies 97.33"}


def test_what_is_printed_twice():
    (one,) = found(repeats, verdict="inconsistent")
    assert (one.printed, one.expected) == ("0.371", "0.372 of Table 1")
    assert len(found(repeats, verdict="as expected")) == 33
