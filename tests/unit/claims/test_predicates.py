"""Every predicate on made-up data, in all its outcomes, and on the published numbers.

Intervals and bounds are computed a second time, from the draws of each model's predictions or rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import tests.fakes.intervals as _intervals
from audioprune.claims.claim import load
from audioprune.claims.ledger import judge
from audioprune.claims.units import Quantity
from audioprune.claims.verdict import Judged
from audioprune.predicates import difficulty, sensitivity, throughput
from audioprune.results import discards
from audioprune.results.estimate import Estimate
from audioprune.results.study import Results
from audioprune.statistics.bootstrap import draw
from audioprune.tables import claims
from audioprune.wording import number
from tests.fakes.ablations import ablations
from tests.fakes.claims import CLIPS, ONCE, WHY, clips, predictions, right, study

CLAIMS = {claim.name: claim for claim in load()}
MAE, AST = "audiomae-tiny", "ast-tiny"


def only(name: str, **cells):
    """A claim on fewer cells, so that a test has to make fewer."""
    claim = CLAIMS[name]
    return claim.model_copy(update={"cells": claim.cells.model_copy(update=cells)})


def measured(claim, folder, runs, **more) -> tuple[str, list]:
    judged = judge(claim, study(folder, runs, **more))
    return judged.measured, [part for part in judged.of("cells") if part.counted]


TWO_SIDED, ONE_SIDED = (0.025, 0.975), (0.05, 0.95)


def quantiles(*terms: tuple[float, np.ndarray], of=TWO_SIDED) -> tuple[float, ...]:
    """Of the sum of factor x accuracy, in points, draw by draw."""
    drawn = [(100 * factor, draw(predictions(correct), "top1")) for factor, correct in terms]
    total = sum(factor * own.draws for factor, own in drawn)
    return _intervals.ends(points(*terms), total, [factor for factor, _ in drawn], drawn[0][1].design.effective, of)


def points(*terms: tuple[float, np.ndarray]) -> float:
    return 100 * sum(factor * correct.mean() for factor, correct in terms)


def is_of(part, *terms: tuple[float, np.ndarray]) -> bool:
    """Whether a part has the value and the interval of this sum."""
    return (part.value, part.low, part.high) == pytest.approx((points(*terms), *quantiles(*terms)), abs=1e-9)


def curve(backbone, dataset, base, pruned, rate=0.7, method="topk") -> dict:
    return {(backbone, dataset, "none", 1.0, "none"): base, (backbone, dataset, method, rate, "none"): pruned}


# --- savings ------------------------------------------------------------------------


ALIKE = right(0.9)


@pytest.mark.parametrize(
    ("pruned", "expected"),
    [(ALIKE, "supported"), (right(0.6), "refuted"), (right(0.9, first=4), "inconclusive"), (None, "not-run")],
)
def test_savings_within_a_band(tmp_path, pruned, expected):
    claim = only("000-1", backbones=("audiomae",), datasets=("spc2",))
    verdict, (part,) = measured(claim, tmp_path, curve(MAE, "fsdd-digits", right(0.9), pruned))
    assert verdict == part.verdict == expected
    if expected == "not-run":
        assert (part.evidence, part.command) == (WHY, "snakemake results/mini/table1.tex")
    else:
        assert "% saved at 0.7" in part.evidence
        assert (part.n, part.seeds, len(part.cells)) == (400, 1, 2)
        drop = ((1, right(0.9)), (-1, pruned))
        upper = quantiles(*drop, of=ONE_SIDED)[1]
        assert f"drop {points(*drop):.2f} points, one-sided upper bound {upper:.2f}" in part.evidence
        assert is_of(part, *drop)
        assert part.changed == ((right(0.9) & ~pruned).sum(), (pruned & ~right(0.9)).sum())
    assert ("clips would settle it" in part.evidence) == (expected == "inconclusive")


@pytest.mark.parametrize(("lost", "expected"), [(30, "supported"), (34, "inconclusive"), (54, "refuted")])
def test_savings_are_judged_by_one_sided_bounds(tmp_path, lost, expected):
    """Of 4 000 clips, where the ends of the interval would say otherwise; and where no bound is beyond the margin."""
    claim = only("000-1", backbones=("audiomae",), datasets=("spc2",))
    unpruned, pruned = right(0.9, 4000), right(0.9, 4000, first=lost)
    verdict, (part,) = measured(claim, tmp_path, curve(MAE, "fsdd-digits", unpruned, pruned))
    lower, upper = quantiles((1, unpruned), (-1, pruned), of=ONE_SIDED)
    low, high = quantiles((1, unpruned), (-1, pruned))
    inside = {"supported": upper < 1 < high, "inconclusive": lower < 1 < upper, "refuted": low <= 1 < lower}
    assert inside[expected]
    assert verdict == expected
    assert (part.low, part.high) == pytest.approx((low, high))


def test_clips_lost_and_gained_are_in_the_evidence(tmp_path):
    runs = curve(MAE, "fsdd-digits", right(0.9), right(0.9, first=6))
    table = claims.build(study(tmp_path, runs))
    (own,) = [
        row.cells
        for row in table.rows
        if row.cells["claim"] == "000-1, 001-1" and row.cells.get("only_first") is not None
    ]
    assert (own["only_first"], own["only_second"]) == (6, 0)
    assert "only_first" in table.csv().partition("\n")[0].split(",")


def test_savings_outside_the_band_decide_nothing(tmp_path):
    claim = only("000-1", backbones=("audiomae",), datasets=("spc2",))
    verdict, (part,) = measured(claim, tmp_path, curve(MAE, "fsdd-digits", right(0.9), right(0.9), rate=0.8))
    assert verdict == "not-run"
    assert "no keep-rate for audiomae-tiny on fsdd-digits that saves 30.0 to 40.0 %" in part.evidence


def test_the_best_keep_rate_in_the_band_counts(tmp_path):
    claim = only("000-1", backbones=("audiomae",), datasets=("spc2",)).model_copy(
        update={"quantities": CLAIMS["000-1"].quantities | {"most": Quantity(value="60", unit="pct_reduction")}}
    )
    runs = curve(MAE, "fsdd-digits", right(0.9), right(0.9)) | curve(MAE, "fsdd-digits", right(0.9), right(0.5), 0.6)
    verdict, (part,) = measured(claim, tmp_path, runs)
    assert verdict == "supported"
    assert "at 0.7" in part.evidence


def test_published_savings():
    parts = {p.name: p for p in judge(CLAIMS["000-1"], Results("paper", [])).of("arithmetic")}
    assert {name: p.verdict for name, p in parts.items()} == {
        "audiomae-b on spc2": "supported",
        "audiomae-b on esc50": "supported",
        "audiomae-b on voxceleb1": "supported",
        "audiomae-b on as20k": "refuted",
        "ast-b on spc2": "supported",
    }
    assert "upper bound is 1.13 or more" in parts["audiomae-b on esc50"].evidence
    assert judge(CLAIMS["000-1"], Results("paper", [])).arithmetic == "partly"
    assert judge(CLAIMS["P0-1"], Results("paper", [])).arithmetic == "supported"


# --- sensitivity ------------------------------------------------------------------------


def both(mae, ast, rates=(0.7, 0.5)) -> dict:
    runs = {}
    for backbone, pruned in ((MAE, mae), (AST, ast)):
        for rate, correct in zip(rates, pruned, strict=True):
            runs |= curve(backbone, "fsdd-digits", right(0.9), correct, rate)
    return runs


@pytest.mark.parametrize(
    ("mae", "ast", "expected"),
    [
        ((right(0.7), right(0.6)), (right(0.9), right(0.85)), "supported"),
        ((right(0.9), right(0.85)), (right(0.7), right(0.6)), "refuted"),
        ((right(0.7), right(0.85)), (right(0.9), right(0.6)), "partly"),
        ((right(0.9, first=2), right(0.9, first=1)), (right(0.9), right(0.9)), "inconclusive"),
        ((None, None), (right(0.9), right(0.9)), "not-run"),
    ],
)
def test_one_model_loses_more(tmp_path, mae, ast, expected):
    verdict, parts = measured(only("000-3", datasets=("spc2",)), tmp_path, both(mae, ast))
    assert verdict == expected
    assert len(parts) == 2  # the absent third model leaves nothing open
    for part, ours, theirs in zip(parts, mae, ast, strict=True):
        drops = ((1, right(0.9)), (-1, ours), (-1, right(0.9)), (1, theirs)) if ours is not None else ()
        assert is_of(part, *drops) if drops else part.value is None
        assert len(part.cells) == (4 if drops else 0)


@pytest.mark.parametrize(
    ("mae", "ast", "expected"),
    [
        ((right(0.8), right(0.5)), (right(0.9), right(0.85)), "supported"),
        ((right(0.9), right(0.85)), (right(0.8), right(0.5)), "refuted"),
        ((right(0.8), right(0.7)), (right(0.8), right(0.7)), "inconclusive"),
        ((None, right(0.7)), (right(0.8), right(0.7)), "not-run"),
    ],
)
def test_one_model_falls_more_steeply(tmp_path, mae, ast, expected):
    verdict, (part,) = measured(only("000-5", datasets=("spc2",)), tmp_path, both(mae, ast))
    assert verdict == expected
    if expected in ("supported", "refuted"):
        drops = np.stack([_drops(right(0.9), own) for own in (mae, ast)])  # (2, points, 1 + draws)
        slopes = [np.polyfit([0, 0.3, 0.5], own, 1)[0] for own in drops]
        value, *draws = slopes[0] - slopes[1]
        of_drops = 100 * np.polyfit([0, 0.3, 0.5], np.eye(3)[1:].T, 1)[0]  # what each of a model's two drops counts
        of_model = np.array([of_drops.sum(), *-of_drops])  # unpruned in both drops, pruned in one each
        factors = [*of_model, *-of_model]
        assert part.value == pytest.approx(value)
        assert (part.low, part.high) == pytest.approx(_intervals.ends(value, draws, factors, 400, TWO_SIDED))


def _drops(unpruned: np.ndarray, pruned) -> np.ndarray:
    """(points, 1 + D): what each keep-rate loses, of all clips and in every draw."""
    base, *others = (draw(predictions(own), "top1") for own in (unpruned, *pruned))
    rows = [100 * np.array([base.value - own.value, *(base.draws - own.draws)]) for own in others]
    return np.stack([np.zeros_like(rows[0]), *rows])


def test_a_slope_needs_two_keep_rates(tmp_path):
    runs = both((right(0.8),), (right(0.8),), rates=(0.7,))
    verdict, (part,) = measured(only("000-5", datasets=("spc2",)), tmp_path, runs)
    assert verdict == "not-run"
    assert "two keep-rates below 1" in part.evidence


def test_slope_weights_are_least_squares_through_the_unpruned_model():
    rates, drops = (0.9, 0.7, 0.5), (0.4, 0.8, 0.9)
    found = sum(w * d for w, d in zip(sensitivity.slope_weights(rates).values(), drops, strict=True))
    assert found == pytest.approx(np.polyfit([0, 0.1, 0.3, 0.5], [0, *drops], 1)[0])


def test_published_sensitivities():
    judged = judge(CLAIMS["000-3"], Results("paper", []))
    refuted = [p.name for p in judged.of("arithmetic") if p.verdict == "refuted"]
    assert refuted == ["audiomae against ast-mp on esc50 at 0.5"]
    assert (judged.arithmetic, judge(CLAIMS["000-5"], Results("paper", [])).arithmetic) == ("partly", "supported")
    assert judge(CLAIMS["P0-12"], Results("paper", [])).arithmetic == "supported"


# --- difficulty ------------------------------------------------------------------------


def falling(dataset: str, shares, rates=(0.9, 0.8, 0.7, 0.5)) -> dict:
    runs = {}
    for rate, share in zip(rates, shares, strict=True):
        runs |= curve(MAE, dataset, right(0.95), None if share is None else right(share), rate)
    return runs


def test_drops_that_grow_along_every_dataset(tmp_path):
    runs = falling("fsdd-digits", (0.9, 0.85, 0.8, 0.7)) | falling("esc10", (0.9, 0.85, 0.8, 0.6))
    verdict, parts = measured(only("000-4", datasets=("spc2", "esc50", "as20k")), tmp_path, runs)
    assert verdict == "not-run"  # nothing stands for as20k, and two datasets say nothing across
    assert [p.verdict for p in parts] == ["supported", "supported", "not-run", "open"]
    assert parts[0].value == pytest.approx(-1)
    assert (parts[0].n, parts[0].seeds, len(parts[0].cells)) == (400, 1, 5)  # of five models


def test_three_points_decide_nothing(tmp_path):
    """Neither three keep-rates that fall in order, as one order of six does, nor three datasets: what was measured
    stands there without a correlation, and leaves open what others support."""
    claim = only("000-4", datasets=("spc2", "voxceleb1", "esc50"))
    three, four = (0.9, 0.8, 0.7), (0.9, 0.85, 0.8, 0.7)
    runs = falling("fsdd-digits", three, rates=(0.9, 0.7, 0.5)) | falling("esc10", four)
    verdict, parts = measured(claim, tmp_path, runs | falling("fsdd-speakers", (None, None, None, 0.8)))
    assert [p.verdict for p in parts] == ["open", "not-run", "supported", "open"]
    along, across = parts[0], parts[-1]
    assert along.evidence.startswith("points lost: 5.00 at 0.9, 15.00 at 0.7, 25.00 at 0.5; 3 keep-rates are too few")
    told = "points lost: 25.00 on fsdd-digits (10 classes), 15.00 on fsdd-speakers (6 classes), 25.00 on esc10"
    assert across.evidence.startswith(told)
    assert (along.value, across.value) == (None, None)
    assert not any("correlation −" in p.evidence or "exact p" in p.evidence for p in (along, across))
    assert (across.n, across.seeds, len(across.cells), len(set(across.cells))) == (400, 1, 6, 6)
    assert verdict == "not-run"


@pytest.mark.parametrize(
    ("drops", "expected"),
    [
        ((1.0, 2.0, 3.0, 4.0, 5.0), "supported"),
        ((5.0, 4.0, 3.0, 2.0, 1.0), "refuted"),
        ((1.0, 3.0, 2.0, 5.0, 0.5), "inconclusive"),
        ((1.0, 1.0, 1.0, 1.0, 1.0), "inconclusive"),
    ],
)
def test_drops_across_datasets(drops, expected):
    classes = dict(zip("abcde", (10, 35, 50, 527, 1251), strict=True))
    assert difficulty.across(classes, dict(zip("abcde", drops, strict=True)), "cells").verdict == expected


def test_drops_that_do_not_grow(tmp_path):
    claim = only("000-4", datasets=("spc2",))
    assert measured(claim, tmp_path / "a", falling("fsdd-digits", (0.7, 0.9, 0.8, 0.85)))[1][0].verdict == "refuted"
    few = falling("fsdd-digits", (0.9, 0.8), rates=(0.7, 0.5))
    assert measured(claim, tmp_path / "b", few)[1][0].verdict == "open"
    assert measured(claim, tmp_path / "c", falling("fsdd-digits", (None, 0.9, 0.8, 0.7)))[1][0].evidence == WHY


def test_published_difficulty():
    judged = judge(CLAIMS["000-4"], Results("paper", []))
    found = {p.name: (p.verdict, round(p.value, 2)) for p in judged.of("arithmetic")}
    assert found == {
        "audiomae-b on spc2": ("supported", -1.0),
        "audiomae-b on esc50": ("refuted", -0.7),
        "audiomae-b on voxceleb1": ("supported", -1.0),
        "audiomae-b on as20k": ("supported", -1.0),
        "across datasets": ("inconclusive", 1.0),
    }
    assert judged.arithmetic == "partly"


# --- ranking ------------------------------------------------------------------------


def ranked(attention, statistic, method="intensity") -> dict:
    runs = {(MAE, "fsdd-digits", "topk", 0.5, "none"): attention}
    return runs | {(MAE, "fsdd-digits", method, 0.5, "none"): statistic}


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [(right(0.6), "supported"), (right(0.97), "refuted"), (right(0.9, first=1), "inconclusive"), (None, "not-run")],
)
def test_attention_against_a_statistic(tmp_path, statistic, expected):
    claim = only("001-6", backbones=("audiomae",), datasets=("spc2",))
    judged = judge(claim, study(tmp_path, ranked(right(0.9), statistic)))
    name = "attention against intensity for audiomae-tiny on fsdd-digits at 0.5"
    own = {p.name: p for p in judged.of("cells")}
    verdicts = {name: p.verdict for name, p in own.items()}
    assert verdicts[name] == expected
    assert statistic is None or is_of(own[name], (1, right(0.9)), (-1, statistic))
    assert verdicts["variation for audiomae-tiny on fsdd-digits"] == "not-run"
    assert verdicts["tokens of C1 and C2 discarded, audiomae-tiny on fsdd-digits"] == "not-run"


def low_intensity_discarded(none, clusters, control) -> dict:
    """Of tokens of C1 and C2 discarded after block 3; those of C4 and C5 cost everything, and are not asked."""
    found = {("C1C2", 3, False): clusters, ("C1C2", 3, True): control}
    found |= {("C4C5", 3, False): right(0.0), ("C4C5", 3, True): none}
    return {"runs": {(MAE, "fsdd-digits", "none", 1.0, "none"): none}, "discards": {(MAE, "fsdd-digits"): found}}


@pytest.mark.parametrize(
    ("clusters", "control", "expected", "beside"),
    [
        (0.80, 0.78, "supported", "refuted"),  # costs 10 points, as many at random 12: they matter, if not more
        (0.97, 0.99, "refuted", "supported"),
        (0.90, 0.80, "inconclusive", "refuted"),
    ],
)
def test_discarded_clusters_are_judged_against_discarding_none(tmp_path, clusters, control, expected, beside):
    """And what as many tokens at random cost stands beside, a measurement."""
    claim, none = only("001-6", backbones=("audiomae",), datasets=("spc2",)), right(0.9)
    data = low_intensity_discarded(none, right(clusters), right(control))
    judged = judge(claim, study(tmp_path, data.pop("runs"), **data))
    own, random = [p for p in judged.parts if "discarded" in p.name]
    assert own.name == f"tokens of C1 and C2 discarded, {MAE} on fsdd-digits, after block 3"
    assert (own.verdict, own.counted, own.unit, own.exhibit) == (expected, True, "pp", "discard")
    if expected != "inconclusive":
        assert is_of(own, (1, none), (-1, right(clusters)))
    assert (random.name, random.verdict, random.counted) == (f"{own.name}, control", "open", False)
    assert is_of(random, (1, right(control)), (-1, right(clusters)))
    assert (random.value > 0) == (beside == "supported")
    assert {cell.partition("/")[0] for cell in own.cells} == {"evaluate", "discard"}


def test_discarded_clusters_of_several_folds():
    results, claim = ablations(), only("001-6", backbones=("audiomae",), datasets=("esc50",))
    found = {p.name: p for p in judge(claim, results).parts if "discarded" in p.name}
    frame = discards.points(results)
    frame = frame[(frame["backbone"] == MAE) & (frame["discarded"] == "C1C2") & ~frame["control"]]
    frame = frame[frame["dataset"] == "esc10"]
    assert len(frame) >= 4
    whole = discards.unpruned(results)[MAE, "esc10"]
    for row in frame.itertuples():
        part = found[f"tokens of C1 and C2 discarded, {MAE} on esc10, after block {row.block}"]
        assert part.value == pytest.approx(whole - row.value)
        assert part.verdict == ("supported" if part.low > 0 else "refuted" if part.high < 0 else "inconclusive")
        beside = found[f"{part.name}, control"]
        wanted = (row.below_control, row.below_control_low, row.below_control_high)
        assert (beside.value, beside.low, beside.high) == pytest.approx(wanted)
    assert len(found) == 2 * len(frame)


def test_the_released_ranking_is_no_verdict(tmp_path):
    """That a model loses without the tokens it classifies from is so by construction: measured, and no verdict."""
    claim = only("001-6", backbones=("audiomae",), datasets=("spc2",))
    judged = judge(claim, study(tmp_path, ranked(right(0.9), right(0.2), "intensity.as_released")))
    (released,) = [p for p in judged.parts if "as_released" in p.name]
    assert (released.verdict, released.counted) == ("open", False)
    assert "by construction" in released.evidence
    assert is_of(released, (1, right(0.9)), (-1, right(0.2)))
    assert judged.verdict == "not-run"


@pytest.mark.parametrize(
    ("cls", "expected"),
    [(right(0.6), "supported"), (right(0.97), "refuted"), (right(0.9), "inconclusive"), (None, "not-run")],
)
def test_cls_score_hurts(tmp_path, cls, expected):
    runs = {(MAE, "esc10", "topk", 0.5, "none"): right(0.9), (MAE, "esc10", "topk.cls", 0.5, "none"): cls}
    verdict, (part,) = measured(CLAIMS["P0-10"], tmp_path, runs)
    assert verdict == expected
    if expected in ("supported", "refuted"):
        assert is_of(part, (1, right(0.9)), (-1, cls))
    if expected == "inconclusive":  # not a clip differs
        assert (part.low, part.high) == pytest.approx((-100 * 1.959964 * 3**0.5 / 403, 100 * 1.959964 * 3**0.5 / 403))
    assert judge(CLAIMS["P0-10"], Results("paper", [])).arithmetic == "supported"


# --- perturbation ------------------------------------------------------------------------


def perturbed(none, one, two, three) -> dict:
    tests = {"none": none, "I": one, "II": two, "III": three}
    return {(MAE, "fsdd-digits", "topk", 0.7, test): correct for test, correct in tests.items()}


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((0.9, 0.5, 0.8, 0.6), ("supported", "supported", "supported", "supported")),
        ((0.7, 0.8, 0.6, 0.9), ("refuted", "refuted", "refuted", "supported")),
        ((0.9, 0.9, 0.9, 0.9), ("inconclusive", "inconclusive", "inconclusive", "refuted")),
        ((None, None, None, None), ("not-run", "not-run", "not-run", "not-run")),
    ],
)
def test_perturbation_tests(tmp_path, shares, expected):
    runs = perturbed(*(None if share is None else right(share) for share in shares))
    results = study(tmp_path, runs)
    found = {n: judge(only(f"P0-{n}", datasets=("spc2",), keep_rates=(0.7,)), results) for n in (6, 7, 8, 9)}
    assert tuple(one.measured for one in found.values()) == expected
    none, one, two, three = (None if share is None else right(share) for share in shares)
    for n, (first, second) in zip(found, ((two, one), (two, three), (none, three), (none, two)), strict=True):
        (part,) = found[n].of("cells")
        if first is None:
            assert (part.value, part.evidence) == (None, WHY)
        elif first.mean() != second.mean():
            assert is_of(part, (1, first), (-1, second))


@pytest.mark.parametrize(
    ("gained", "lost", "expected"), [(6, 14, "supported"), (8, 11, "inconclusive"), (30, 8, "refuted")]
)
def test_no_gain_is_judged_by_a_one_sided_bound(tmp_path, gained, lost, expected):
    """Clips that are right under one of both alone; where the lower end of the interval would not do."""
    none, three = right(0.9, first=gained), right(0.9 - lost / 400)
    runs = perturbed(none, right(0.9), right(0.9), three)
    verdict, (part,) = measured(only("P0-8", datasets=("spc2",)), tmp_path, runs)
    terms = ((1, none), (-1, three))
    (lower, _), (low, high) = quantiles(*terms, of=ONE_SIDED), quantiles(*terms)
    assert {"supported": low < 0 <= lower, "inconclusive": lower < 0 <= high, "refuted": high < 0}[expected]
    assert verdict == expected
    assert is_of(part, *terms)


def test_published_perturbations():
    found = {n: judge(CLAIMS[f"P0-{n}"], Results("paper", [])) for n in (6, 7, 8, 9)}
    assert {n: one.arithmetic for n, one in found.items()} == {6: "partly", **dict.fromkeys((7, 8, 9), "supported")}
    assert {one.verdict for one in found.values()} == {"superseded"}
    assert [p.name for p in found[6].of("arithmetic") if p.verdict == "refuted"] == ["spc2 at 0.9", "spc2 at 0.8"]
    printed = {p.name: (p.verdict, p.value) for p in found[9].of("arithmetic")}  # at the lowest keep-rate alone
    assert printed == {"spc2 at 0.5": ("supported", 2.52), "esc50 at 0.5": ("supported", 2.45)}
    (excepted,) = [p for p in found[7].of("arithmetic") if not p.counted]
    assert (excepted.name, excepted.verdict) == ("esc50 at 0.5", "refuted")


# --- throughput ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "median", "high", "expected"),
    [
        (1.9, 2.05, 2.1, "supported"),
        (1.5, 1.6, 1.7, "refuted"),
        (1.7, 1.8, 1.95, "inconclusive"),
        (2.3, 2.4, 2.5, "refuted"),
    ],
)
def test_speed(low, median, high, expected):
    timed = Estimate(median, None, 50, 1, 1, ("timing",), quartiles=(low, high))
    assert throughput.speed(timed, 2.0, 0.1) == expected


def test_published_speed_ups():
    """P0 prints samples per second and never says that they double: ours is the question, and no verdict follows."""
    judged = judge(CLAIMS["P0-13"], Results("paper", []))
    assert [round(p.value, 3) for p in judged.of("arithmetic")] == [1.771, 1.951, 2.052, 2.022]
    assert {p.verdict for p in judged.of("arithmetic")} == {"open"}
    assert (judged.verdict, judged.arithmetic, judged.claim.expected) == ("open", "open", "open")
    assert judged.brief.startswith("P0 prints samples per second and nowhere says that they double")


def test_a_question_that_its_source_does_not_ask_gets_no_verdict(tmp_path):
    """Whatever is measured."""
    claim = CLAIMS["P0-8"].model_copy(update={"open": "the question is ours", "withdrawn": ""})
    claim = claim.model_copy(update={"cells": claim.cells.model_copy(update={"datasets": ("spc2",)})})
    judged = judge(claim, study(tmp_path, perturbed(right(0.9), right(0.9), right(0.9), right(0.5))))
    assert (judged.verdict, judged.measured) == ("open", "open")
    (part,) = [p for p in judged.of("cells") if p.value is not None]
    assert (part.verdict, part.value) == ("open", pytest.approx(40.0))
    assert judged.brief.startswith("the question is ours")


# --- designs that are not equal --------------------------------------------------------

RUNS = [(1, 0), (2, 0), (1, 1), (2, 1)]  # fold, seed


def of_runs(correct: np.ndarray, runs=RUNS, lost=()) -> dict:
    return {run: None if run in lost else correct for run in runs}


def test_sides_are_compared_over_the_folds_and_seeds_that_both_have(tmp_path):
    """Attention in two folds and two seeds, of which one run is lost; the statistic in the first fold alone."""
    claim = only("001-6", backbones=("audiomae",), datasets=("esc50",), methods=("intensity",))
    attention, statistic = of_runs(right(0.9), lost=[(1, 1)]), of_runs(right(0.6), RUNS[::2])
    runs = {(MAE, "esc10", m, 0.5, "none"): own for m, own in (("topk", attention), ("intensity", statistic))}
    (part,) = [p for p in judge(claim, study(tmp_path, runs)).of("cells") if "attention against" in p.name]
    assert is_of(part, (1, right(0.9)), (-1, right(0.6)))
    assert part.evidence.endswith("over the 1 of 4 runs (folds and seeds) that all sides have")
    assert (part.n, part.seeds, len(part.cells)) == (400, 1, 2)
    assert all("fold1-seed0" in cell or "/1/0/" in cell for cell in part.cells)


def test_sides_without_a_run_in_common_are_not_run(tmp_path):
    runs = {(MAE, "esc10", "topk", 0.5, "none"): of_runs(right(0.9), RUNS[:1])}
    runs[MAE, "esc10", "topk.cls", 0.5, "none"] = of_runs(right(0.6), RUNS[1:])
    verdict, (part,) = measured(CLAIMS["P0-10"], tmp_path, runs)
    assert (verdict, part.evidence) == ("not-run", "they have no fold and seed in common")


@pytest.mark.parametrize(
    "selections", [("last", "best_val"), ("last", "best_test"), ("best_val", "last"), ("best_val",)]
)
def test_weights_of_several_selections_are_not_mixed(tmp_path, selections):
    """The last ones decide, or those chosen on validation clips where there are no others."""
    claim = only("000-1", backbones=("audiomae",), datasets=("spc2",))
    runs = curve(MAE, "fsdd-digits", right(0.9), right(0.6))
    results = study(tmp_path, runs, selections=selections)
    (part,) = judge(claim, results).of("cells")
    assert is_of(part, (1, right(0.9)), (-1, right(0.6)))
    chosen = {results.cell(cell).settings.selection for cell in part.cells}
    assert chosen == {"last" if "last" in selections else "best_val"}


def test_weights_that_test_clips_chose_decide_nothing(tmp_path):
    claim = only("000-1", backbones=("audiomae",), datasets=("spc2",))
    runs = curve(MAE, "fsdd-digits", right(0.9), right(0.6))
    assert measured(claim, tmp_path, runs, selections=("best_test",))[0] == "not-run"


# --- tokens ------------------------------------------------------------------------


def values(mean: float, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Of every clip."""
    return mean + noise * np.random.default_rng(seed).normal(size=CLIPS)


def at(blocks, mean, noise: float = 0.0, seed: int = 0) -> dict[int, np.ndarray]:
    """Of every clip at each block; `mean` is one for all blocks, or one for each."""
    means = dict.fromkeys(blocks, mean) if isinstance(mean, float) else dict(zip(blocks, mean, strict=True))
    return {block: values(own, noise, seed + block) for block, own in means.items()}


STAGES = (3, 6, 9)


def tokens(claim, folder, analyses: dict) -> Judged:
    """A claim on token analyses by (backbone, keep-rate), of a study with evaluations of both models."""
    runs = curve(MAE, "fsdd-digits", right(0.9), right(0.9)) | curve(AST, "fsdd-digits", right(0.9), right(0.9))
    found = {(backbone, "fsdd-digits", rate): own for (backbone, rate), own in analyses.items()}
    return judge(claim, study(folder, runs, tokens=found))


def mean_of(each: dict[tuple[int, int], np.ndarray]) -> tuple[float, float, float]:
    """Mean over clips of all runs, with quantiles of draws of recordings and seeds; a clip with NaN is skipped."""
    frames = [clips(fold).assign(seed=seed, numerator=own) for (fold, seed), own in each.items()]
    frame = pd.concat(frames, ignore_index=True)
    frame["denominator"] = frame["numerator"].notna().astype(int)
    drawn = draw(frame.fillna({"numerator": 0}), "ratio")
    assert drawn.draws.min() < drawn.draws.max()
    return (float(frame["numerator"].mean()), *np.quantile(drawn.draws, TWO_SIDED))


def numbers(part) -> tuple:
    return part.value, part.low, part.high


@pytest.mark.parametrize(
    ("mae", "ast", "expected"), [(0.5, 0.3, "supported"), (0.3, 0.5, "refuted"), (0.4, 0.4, "inconclusive")]
)
def test_low_intensity_and_signal_tokens(tmp_path, mae, ast, expected):
    own = {"low_of_kept": at(STAGES, mae, 0.05, seed=1), "ratio_b": at(STAGES, mae, 0.05, seed=1)}
    other = {"low_of_kept": at(STAGES, ast, 0.05, seed=7), "ratio_b": at(STAGES, ast, 0.05, seed=7)}
    analyses = {(MAE, 0.5): {ONCE: own}, (AST, 0.5): {ONCE: other}}
    judged = tokens(only("000-2", datasets=("spc2",)), tmp_path / "a", analyses)
    (part,) = judged.of("cells")
    assert judged.measured == expected
    assert "by the global and AST by the class-token score, which confounds" in part.evidence
    difference = 100 * (own["low_of_kept"][9] - other["low_of_kept"][9])
    assert numbers(part) == pytest.approx(mean_of({ONCE: difference}))
    value, low, high = (number(end, 2) for end in numbers(part))
    assert part.evidence.startswith(f"low-intensity share of the kept {value} [{low}, {high}] points; ")
    assert (part.n, part.seeds, len(part.cells), part.unit) == (CLIPS, 1, 2, "pp")
    by_recording = difference.reshape(-1, 2).mean(axis=1)
    assert (part.high - part.low) / (2 * 1.96 * stats.sem(by_recording)) == pytest.approx(1, abs=0.1)

    opposite = {"supported": "refuted", "refuted": "supported"}.get(expected, expected)
    judged = tokens(only("P0-11", datasets=("spc2",)), tmp_path / "b", analyses)
    assert judged.measured == opposite
    for part, block in zip(judged.of("cells"), STAGES, strict=True):
        assert part.name.endswith(f"block {block}")
        assert numbers(part) == pytest.approx(mean_of({ONCE: 100 * (other["ratio_b"][block] - own["ratio_b"][block])}))


def test_tokens_that_are_not_there(tmp_path):
    claim, own = only("000-2", datasets=("spc2",)), {"low_of_kept": at(STAGES, 0.5)}
    judged = tokens(claim, tmp_path / "a", {(MAE, 0.5): {ONCE: own}})
    (part,) = judged.of("cells")
    assert "has no token analysis of ast-tiny on fsdd-digits at 0.5" in part.evidence
    judged = tokens(claim, tmp_path / "b", {(MAE, 0.5): {ONCE: own}, (AST, 0.5): {ONCE: None}})
    (part,) = judged.of("cells")
    assert (judged.measured, part.evidence, part.command) == (
        "not-run",
        WHY,
        "snakemake results/mini/low-intensity.tex",
    )


def test_tokens_of_several_seeds_spread_as_the_seeds_do(tmp_path):
    """Three seeds that differ, of which one side lost one: seeds are drawn, named, and counted."""
    claim, runs = only("000-2", datasets=("spc2",)), [(1, seed) for seed in range(3)]
    own = {run: values(0.5 + 0.02 * run[1], 0.02, seed=run[1]) for run in runs}
    other = {run: values(0.4, 0.02, seed=9 + run[1]) for run in runs}
    analyses = {
        (backbone, 0.5): {run: {"low_of_kept": dict.fromkeys(STAGES, each[run])} for run in runs}
        for backbone, each in ((MAE, own), (AST, other))
    }
    (part,) = tokens(claim, tmp_path / "a", analyses).of("cells")
    assert numbers(part) == pytest.approx(mean_of({run: 100 * (own[run] - other[run]) for run in runs}))
    assert (part.n, part.seeds, len(part.cells)) == (CLIPS, 3, 6)
    alone = mean_of({ONCE: np.mean([100 * (own[run] - other[run]) for run in runs], axis=0)})
    assert part.high - part.low > 2 * (alone[2] - alone[1])  # what a mean over seeds would hide

    analyses[AST, 0.5][1, 2] = None
    (part,) = tokens(claim, tmp_path / "b", analyses).of("cells")
    assert numbers(part) == pytest.approx(mean_of({run: 100 * (own[run] - other[run]) for run in runs[:2]}))
    assert (part.n, part.seeds, len(part.cells)) == (CLIPS, 2, 4)
    assert "over the 2 of 3 runs (folds and seeds) that all sides have" in part.evidence


@pytest.mark.parametrize(
    ("excess", "noise", "preferred", "proportional"),
    [
        (-0.1, 0.001, "supported", "refuted"),
        (0.1, 0.001, "refuted", "refuted"),
        (0.0, 0.001, "inconclusive", "supported"),
        (0.0, 0.2, "inconclusive", "inconclusive"),
    ],
)
def test_background_against_random_selection(tmp_path, excess, noise, preferred, proportional):
    own = {"excess": at(STAGES, excess, noise)}
    for name, expected in (("P0-14", preferred), ("P0-15", proportional)):
        judged = tokens(only(name, datasets=("spc2",)), tmp_path / name, {(MAE, 0.5): {ONCE: own}})
        assert judged.measured == expected
        for part, block in zip(judged.of("cells"), STAGES, strict=True):
            assert numbers(part) == pytest.approx(mean_of({ONCE: 100 * own["excess"][block]}))


GROUPS = {1: (0, 1, 2, 3), 2: (4, 5, 6), 3: (7, 8, 9)}  # each ends with the block that prunes


def mean_over(own: dict[int, np.ndarray], blocks) -> np.ndarray:
    """Of every clip."""
    return np.mean([own[block] for block in blocks], axis=0)


@pytest.mark.parametrize(("gamma", "expected"), [(1.5, "supported"), (0.8, "refuted"), (1.0, "inconclusive")])
def test_gamma(tmp_path, gamma, expected):
    """In the blocks before the one that prunes, where alone it says something; by the score that ranks; that of the
    other one is far above. In the pruning blocks, where it is so by construction, it is shown."""
    blocks = range(10)
    high = {name: at(blocks, gamma, 0.05, seed=26) for name in ("gamma_s", "gamma_b")}
    for own in high.values():
        own.update({block: values(9.0, 0.05, seed=block) for block in STAGES})
    judged = tokens(only("P0-2", datasets=("spc2",)), tmp_path / "a", {(MAE, 0.5): {ONCE: high}})
    assert judged.measured == expected
    parts = judged.of("cells")
    counted, beside = ([p for p in parts if p.counted == own] for own in (True, False))
    wanted = [mean_over(high[c], own[:-1]) for c in ("gamma_s", "gamma_b") for own in GROUPS.values()]
    for part, each in zip(counted, wanted, strict=True):
        assert numbers(part) == pytest.approx(mean_of({ONCE: each}))
    assert {(p.verdict, "by construction" in p.evidence, p.value > 8) for p in beside} == {("open", True, True)}
    assert len(beside) == 6

    high = {name: at(blocks, gamma, 0.05, seed=26) for name in ("gamma_s", "gamma_b")}
    low = {"gamma_s": at(blocks, 1.0, 0.05, seed=100), "gamma_b": at(blocks, 1.0, 0.05, seed=102)}
    judged = tokens(
        only("P0-3", datasets=("spc2",)), tmp_path / "b", {(MAE, 0.9): {ONCE: high}, (MAE, 0.5): {ONCE: low}}
    )
    assert judged.measured == expected
    pairs = [
        mean_over(high[c], own) - mean_over(low[c], own) for c in ("gamma_s", "gamma_b") for own in GROUPS.values()
    ]
    for part, each in zip(judged.of("cells"), pairs, strict=True):
        assert numbers(part) == pytest.approx(mean_of({ONCE: each}))


def test_a_group_of_which_no_clip_has_a_gamma_leaves_the_others(tmp_path):
    own = {name: at(range(10), 1.5, 0.1) for name in ("gamma_s", "gamma_b")}
    own["gamma_b"][8] = np.full(CLIPS, np.nan)
    own["gamma_s"][1][:10] = np.nan
    judged = tokens(only("P0-2", datasets=("spc2",)), tmp_path, {(MAE, 0.5): {ONCE: own}})
    parts = [part for part in judged.of("cells") if part.counted]
    assert [part.verdict for part in parts] == ["supported"] * 5 + ["not-run"]
    assert parts[-1].evidence == "no clip has gamma_b at each of the blocks 7 and 8"
    assert [part.n for part in parts] == [CLIPS - 10, CLIPS, CLIPS, CLIPS, CLIPS, 0]
    assert numbers(parts[0]) == pytest.approx(mean_of({ONCE: mean_over(own["gamma_s"], (0, 1, 2))}))


@pytest.mark.parametrize(("slope", "expected"), [(-0.3, "supported"), (0.3, "refuted"), (0.0, "inconclusive")])
def test_norm_ratios(tmp_path, slope, expected):
    """Their slope over all twelve blocks is a clip's own; and they are smaller where tokens are pruned: after the first
    removal. What differs before it differs the other way here, and is no verdict."""
    blocks = range(12)
    own = at(blocks, [5.0 + slope * block for block in blocks], 0.1)
    judged = tokens(only("P0-4", datasets=("spc2",)), tmp_path / "a", {(MAE, 0.5): {ONCE: {"norm": own}}})
    (part,) = judged.of("cells")
    assert judged.measured == part.verdict == expected
    each = np.polyfit(list(blocks), np.stack(list(own.values())), 1)[0]
    assert numbers(part) == pytest.approx(mean_of({ONCE: each}))

    base = {"norm": at(blocks, 5.0, 0.1, seed=30)}
    pruned = {"norm": at(blocks, [5.0 + (slope if block > 3 else -9 * slope) for block in blocks], 0.1, seed=60)}
    analyses = {(MAE, 1.0): {ONCE: base}, (MAE, 0.5): {ONCE: pruned}}
    judged = tokens(only("P0-5", datasets=("spc2",)), tmp_path / "b", analyses)
    assert judged.measured == expected
    after, before = judged.of("cells")
    for part, own in ((after, range(4, 12)), (before, range(4))):
        assert numbers(part) == pytest.approx(
            mean_of({ONCE: mean_over(base["norm"], own) - mean_over(pruned["norm"], own)})
        )
    assert (before.verdict, before.counted) == ("open", False)
    assert before.evidence.endswith("no token is removed yet, so this is not an effect of pruning")


def test_published_gammas_and_retention():
    found = {n: judge(CLAIMS[f"P0-{n}"], Results("paper", [])) for n in (2, 3, 11, 14, 15)}
    assert {one.verdict for one in found.values()} == {"superseded"}
    assert {n: one.arithmetic for n, one in found.items()} == {
        2: "supported",
        3: "partly",
        11: "supported",
        14: "inconclusive",
        15: "supported",
    }
    broken = " ".join(p.evidence for p in found[3].of("arithmetic") if p.verdict == "refuted")
    assert broken == (
        "5 of 6 printed rows grow, not gamma of background in G2 "
        "4 of 6 printed rows grow, not gamma of background in G1, not gamma of background in G3"
    )
    assert max(abs(p.value) for p in found[15].of("arithmetic")) == pytest.approx(0.20)
