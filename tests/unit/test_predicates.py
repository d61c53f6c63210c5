"""Every predicate on made-up data, in all its outcomes, and on the published numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from _claims import WHY, right, study
from fake_ablations import ablations

from audioprune.claims.claim import load
from audioprune.claims.evidence import Estimate
from audioprune.claims.ledger import judge
from audioprune.claims.units import Quantity
from audioprune.predicates import _tokens, difficulty, sensitivity, throughput
from audioprune.results import discards
from audioprune.results.study import Results

CLAIMS = {claim.name: claim for claim in load()}
MAE, AST = "audiomae-tiny", "ast-tiny"


def only(name: str, **cells):
    """A claim on fewer cells, so that a test has to make fewer."""
    claim = CLAIMS[name]
    return claim.model_copy(update={"cells": claim.cells.model_copy(update=cells)})


def measured(claim, folder, runs) -> tuple[str, list]:
    judged = judge(claim, study(folder, runs))
    return judged.measured, [part for part in judged.of("cells") if part.counted]


def curve(backbone, dataset, base, pruned, rate=0.7, method="topk") -> dict:
    return {(backbone, dataset, "none", 1.0, "none"): base, (backbone, dataset, method, rate, "none"): pruned}


# --- savings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pruned", "expected"),
    [(right(0.9), "supported"), (right(0.6), "refuted"), (right(0.9, first=4), "inconclusive"), (None, "not-run")],
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
    assert ("clips would settle it" in part.evidence) == (expected == "inconclusive")


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
        ((right(0.9, first=2), right(0.9)), (right(0.9), right(0.9)), "inconclusive"),
        ((None, None), (right(0.9), right(0.9)), "not-run"),
    ],
)
def test_one_model_loses_more(tmp_path, mae, ast, expected):
    verdict, parts = measured(only("000-3", datasets=("spc2",)), tmp_path, both(mae, ast))
    assert verdict == expected
    assert len(parts) == 2  # the absent third model leaves nothing open


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
    assert measured(only("000-5", datasets=("spc2",)), tmp_path, both(mae, ast))[0] == expected


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


def falling(dataset: str, shares, rates=(0.9, 0.7, 0.5)) -> dict:
    runs = {}
    for rate, share in zip(rates, shares, strict=True):
        runs |= curve(MAE, dataset, right(0.95), None if share is None else right(share), rate)
    return runs


def test_drops_that_grow_along_every_dataset(tmp_path):
    runs = falling("fsdd-digits", (0.9, 0.8, 0.7)) | falling("esc10", (0.9, 0.8, 0.6))
    verdict, parts = measured(only("000-4", datasets=("spc2", "esc50", "as20k")), tmp_path, runs)
    assert verdict == "not-run"  # nothing stands for as20k, and two datasets say nothing across
    assert [p.verdict for p in parts] == ["supported", "supported", "not-run", "not-run"]
    assert parts[0].value == pytest.approx(-1)
    assert "three datasets" in parts[-1].evidence


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
    assert measured(claim, tmp_path / "a", falling("fsdd-digits", (0.7, 0.9, 0.8)))[1][0].verdict == "refuted"
    few = falling("fsdd-digits", (0.9, 0.8), rates=(0.7, 0.5))
    assert "three keep-rates" in measured(claim, tmp_path / "b", few)[1][0].evidence
    assert measured(claim, tmp_path / "c", falling("fsdd-digits", (None, 0.9, 0.8)))[1][0].evidence == WHY


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
    verdicts = {p.name: p.verdict for p in judged.of("cells")}
    assert verdicts["attention against intensity for audiomae-tiny on fsdd-digits at 0.5"] == expected
    assert verdicts["variation for audiomae-tiny on fsdd-digits"] == "not-run"
    assert verdicts["tokens of C1 and C2 discarded, audiomae-tiny on fsdd-digits"] == "not-run"


def test_discarded_clusters_are_judged_against_as_many_tokens_at_random():
    results, claim = ablations(), only("001-6", backbones=("audiomae",), datasets=("esc50",))
    found = {p.name: p for p in judge(claim, results).parts if "discarded" in p.name}
    frame = discards.points(results)
    frame = frame[(frame["backbone"] == MAE) & (frame["discarded"] == "C1C2") & ~frame["control"]]
    own = {f"tokens of C1 and C2 discarded, {MAE} on {r.dataset}, after block {r.block}": r for r in frame.itertuples()}
    names = [name for name, row in own.items() if results.dataset(row.dataset).task == "environmental"]
    assert set(names) == set(found)
    assert len(names) >= 4
    for name in names:
        row, part = own[name], found[name]
        wanted = (row.below_control, row.below_control_low, row.below_control_high)
        assert (part.value, part.low, part.high) == pytest.approx(wanted)
        assert part.verdict == ("supported" if part.low > 0 else "refuted" if part.high < 0 else "inconclusive")
        assert part.unit == "pp"
        assert all(cell.startswith("discard/") for cell in part.cells)


def test_the_released_ranking_is_not_counted(tmp_path):
    claim = only("001-6", backbones=("audiomae",), datasets=("spc2",))
    judged = judge(claim, study(tmp_path, ranked(right(0.9), right(0.2), "intensity.as_released")))
    (released,) = [p for p in judged.parts if "as_released" in p.name]
    assert (released.verdict, released.counted) == ("supported", False)


@pytest.mark.parametrize(
    ("cls", "expected"),
    [(right(0.6), "supported"), (right(0.97), "refuted"), (right(0.9), "inconclusive"), (None, "not-run")],
)
def test_cls_score_hurts(tmp_path, cls, expected):
    runs = {(MAE, "esc10", "topk", 0.5, "none"): right(0.9), (MAE, "esc10", "topk.cls", 0.5, "none"): cls}
    assert measured(CLAIMS["P0-10"], tmp_path, runs)[0] == expected
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
    found = tuple(judge(only(f"P0-{n}", datasets=("spc2",)), results).measured for n in (6, 7, 8, 9))
    assert found == expected


def test_published_perturbations():
    found = {n: judge(CLAIMS[f"P0-{n}"], Results("paper", [])) for n in (6, 7, 8, 9)}
    assert {n: one.arithmetic for n, one in found.items()} == {6: "partly", 7: "supported", 8: "supported", 9: "partly"}
    assert {one.verdict for one in found.values()} == {"superseded"}
    assert [p.name for p in found[6].of("arithmetic") if p.verdict == "refuted"] == ["spc2 at 0.9", "spc2 at 0.8"]
    assert [p.name for p in found[9].of("arithmetic") if p.verdict == "supported"] == ["spc2 at 0.5", "esc50 at 0.5"]
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
    assert throughput.speed(Estimate(median, low, high, low, high, 50, 1, ()), 2.0, 0.1) == expected


def test_published_speed_ups():
    parts = {p.name: round(p.value, 3) for p in judge(CLAIMS["P0-13"], Results("paper", [])).of("arithmetic")}
    assert list(parts.values()) == [1.771, 1.951, 2.052, 2.022]
    assert judge(CLAIMS["P0-13"], Results("paper", [])).arithmetic == "partly"


# --- tokens ------------------------------------------------------------------------


def rows(column: str, values: dict[int, float], noise: float = 0.0, clips: int = 60, seed: int = 0) -> pd.DataFrame:
    """Per-clip rows with a mean at each block."""
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {
                "clip": [f"c{i}" for i in range(clips)],
                "recording": [f"r{i // 2}" for i in range(clips)],
                "block": block,
                column: value + noise * rng.normal(size=clips),
            }
        )
        for block, value in values.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_paired_means_and_slopes_of_frames():
    a, b = rows("x", {3: 0.6, 9: 0.5}, 0.1), rows("x", {3: 0.4, 9: 0.5}, 0.1)
    assert _tokens.paired(a, b, "x", 3).value == pytest.approx(0.2)
    assert _tokens.paired(a, b, "x", 9).value == pytest.approx(0.0)
    assert _tokens.mean(rows("x", {3: 0.6}), "x", 3).value == pytest.approx(0.6)
    assert _tokens.slope(rows("x", {0: 3.0, 1: 2.0, 2: 1.0}), "x").value == pytest.approx(-1.0)
    some = a.copy()
    some.loc[some["clip"] == "c0", "x"] = np.nan
    assert _tokens.mean(some, "x", 3).n == 59
    with pytest.raises(ValueError, match="no clip has x at block 6"):
        _tokens.paired(a, b, "x", 6)


@pytest.fixture
def tokens(tmp_path, monkeypatch):
    """Judge a claim on token frames by (backbone, keep-rate), on a study with evaluations of both models."""
    from audioprune.claims import evidence

    def run(claim, frames: dict):
        runs = curve(MAE, "fsdd-digits", right(0.9), right(0.9)) | curve(AST, "fsdd-digits", right(0.9), right(0.9))
        results = study(tmp_path / str(len(list(tmp_path.iterdir()))), runs)
        found = evidence.Evidence.unplanned
        monkeypatch.setattr(
            evidence.Evidence, "token_rates", lambda self, wanted: [r for r in wanted if r in {k[1] for k in frames}]
        )
        monkeypatch.setattr(
            evidence.Evidence,
            "tokens",
            lambda self, b, d, rate, column: frames.get((b, rate), found(self, "token analysis")),
        )
        return judge(claim, results).measured

    return run


@pytest.mark.parametrize(
    ("mae", "ast", "expected"), [(0.5, 0.3, "supported"), (0.3, 0.5, "refuted"), (0.4, 0.4, "inconclusive")]
)
def test_low_intensity_and_signal_tokens(tokens, mae, ast, expected):
    frames = {
        (MAE, 0.5): rows("low_of_kept", {9: mae}, 0.05, seed=1),
        (AST, 0.5): rows("low_of_kept", {9: ast}, 0.05, seed=2),
    }
    assert tokens(only("000-2", datasets=("spc2",)), frames) == expected
    blocks = dict.fromkeys((3, 6, 9))
    ratio = {
        (MAE, 0.5): rows("ratio_b", dict.fromkeys(blocks, mae)),
        (AST, 0.5): rows("ratio_b", dict.fromkeys(blocks, ast)),
    }
    opposite = {"supported": "refuted", "refuted": "supported"}.get(expected, expected)
    assert tokens(only("P0-11", datasets=("spc2",)), ratio) == opposite


def test_tokens_that_are_not_there(tokens):
    frames = {(MAE, 0.5): rows("low_of_kept", {9: 0.5})}
    assert tokens(only("000-2", datasets=("spc2",)), frames) == "not-run"


@pytest.mark.parametrize(
    ("excess", "preferred", "proportional"),
    [(-0.1, "supported", "refuted"), (0.1, "refuted", "refuted"), (0.0, "inconclusive", "supported")],
)
def test_background_against_random_selection(tokens, excess, preferred, proportional):
    frames = {(MAE, 0.5): rows("excess", {3: excess, 6: excess, 9: excess}, 0.001)}
    if excess == 0:
        frames = {(MAE, 0.5): rows("excess", {3: 0.0, 6: 0.0, 9: 0.0}, 0.0)}
    assert tokens(only("P0-14", datasets=("spc2",)), frames) == preferred
    assert tokens(only("P0-15", datasets=("spc2",)), frames) == proportional
    wide = {(MAE, 0.5): rows("excess", {3: 0.0, 6: 0.0, 9: 0.0}, 0.2)}
    assert tokens(only("P0-15", datasets=("spc2",)), wide) == "inconclusive"


@pytest.mark.parametrize(("gamma", "expected"), [(1.5, "supported"), (0.8, "refuted"), (1.0, "inconclusive")])
def test_gamma(tokens, gamma, expected):
    frame = rows("gamma_s", {3: gamma, 6: gamma, 9: gamma}).assign(gamma_b=gamma)
    assert tokens(only("P0-2", datasets=("spc2",)), {(MAE, 0.5): frame}) == expected
    low = rows("gamma_s", {3: 1.0, 6: 1.0, 9: 1.0}).assign(gamma_b=1.0)
    assert tokens(only("P0-3", datasets=("spc2",)), {(MAE, 0.9): frame, (MAE, 0.5): low}) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [((3.0, 2.0, 1.0), "supported"), ((1.0, 2.0, 3.0), "refuted"), ((2.0, 2.0, 2.0), "inconclusive")],
)
def test_norm_ratios(tokens, values, expected):
    frame = rows("norm", dict(zip((3, 6, 9), values, strict=True)))
    assert tokens(only("P0-4", datasets=("spc2",)), {(MAE, 0.5): frame}) == expected
    pruned = rows("norm", {b: 4.0 - v for b, v in zip((3, 6, 9), values, strict=True)})
    both = {(MAE, 1.0): rows("norm", {3: 2.0, 6: 2.0, 9: 2.0}), (MAE, 0.5): pruned}
    found = tokens(only("P0-5", datasets=("spc2",)), both)
    assert found == {"supported": "partly", "refuted": "partly"}.get(expected, expected)


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
