"""Tables of token analyses on the fake study: every number computed again from the arrays that it was made of."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from audioprune.exhibits import named
from audioprune.exhibits.table import Cell, Table
from audioprune.results.study import Results
from audioprune.settings.model import Pruning
from audioprune.tokens.kmeans import label
from tests.fakes.tokens import CLIPS, NOT_MADE, TAU, clips, levels, token_study, traced


@cache
def table(name: str) -> Table:
    return named.get("table", name).build(token_study())


def rows(name: str, **wanted) -> list[dict]:
    return [r.cells for r in table(name).rows if all(r.cells.get(k) == v for k, v in wanted.items())]


def row(name: str, **wanted) -> dict:
    (found,) = rows(name, **wanted)
    return found


def topk(rate: float, **options) -> Pruning:
    return Pruning(method="topk", keep_rate=rate, options=options)


def by_hand(backbone: str, dataset: str, rate: float, folds: tuple[int, ...], **options):
    """(signal (P,), [tokens entering, kept] of each stage) of every clip of all folds."""
    for fold in folds:
        arrays, stats = traced(backbone, dataset, topk(rate, **options), fold)
        for i in range(CLIPS):
            signal = set(np.flatnonzero(stats["mean"][i] > TAU).tolist())
            stages = [
                (arrays[f"entering_{block}"][i].tolist(), set(arrays[f"kept_{block}"][i].tolist()))
                for block in (3, 6, 9)
            ]
            yield signal, stages, stats["mean"].shape[1]


@pytest.mark.parametrize(
    ("backbone", "dataset", "folds"), [("audiomae-tiny", "esc10", (1, 2)), ("audiomae-b", "spc2", (1,))]
)
def test_ratios_are_means_over_clips(backbone, dataset, folds):
    for stage in (1, 2, 3):
        found = row("table2", backbone=backbone, dataset=dataset, keep_rate=0.7, stage=stage)
        ratio_a, ratio_b, excess = [], [], []
        for signal, stages, patches in by_hand(backbone, dataset, 0.7, folds):
            entering, kept = stages[stage - 1]
            ratio_a.append(len(kept & signal) / len(entering))
            if signal:  # one clip of each fold has none
                ratio_b.append(len(kept & signal) / len(signal))
                excess.append(ratio_b[-1] - len(kept) / patches)
        assert found["ratio_a"].value == pytest.approx(100 * np.mean(ratio_a))
        assert found["ratio_b"].value == pytest.approx(100 * np.mean(ratio_b))
        assert found["excess"].value == pytest.approx(100 * np.mean(excess))
        assert found["excess"].low < found["excess"].value < found["excess"].high
        assert found["n"] == len(ratio_b) == (CLIPS - 1) * len(folds)
    kept = [row("table2", dataset="esc10", keep_rate=0.7, stage=s)["kept_fraction"] for s in (1, 2, 3)]
    assert kept == pytest.approx([100 * k / 256 for k in (180, 126, 89)])  # ceil(0.7 x 256), of that, of that


def test_kinds_of_what_is_kept_and_blind_ratio_a():
    """esc10 has two columns of padding in every second clip, birds none."""
    for stage in (1, 3):
        own = row("table2", backbone="audiomae-tiny", dataset="esc10", keep_rate=0.7, stage=stage)
        padding, signal_of_kept, blind = [], [], []
        for i, (signal, stages, patches) in enumerate(by_hand("audiomae-tiny", "esc10", 0.7, (1, 2))):
            entering, kept = stages[stage - 1]
            behind = set(range(patches - 16, patches)) if i % 2 else set()  # time-major: the last two columns
            padding.append(len(kept & behind) / len(kept))
            signal_of_kept.append(len(kept & signal) / len(kept))
            blind.append(len(signal) / patches * len(kept) / len(entering))
        assert own["padding_of_kept"] == pytest.approx(100 * np.mean(padding))
        assert own["signal_of_kept"] == pytest.approx(100 * np.mean(signal_of_kept))
        assert own["blind_a"] == pytest.approx(100 * np.mean(blind))
        assert own["excess_a"].value == pytest.approx(own["ratio_a"].value - own["blind_a"])
        shares = [own[f"{kind}_of_kept"] for kind in ("signal", "background", "padding")]
        assert sum(shares) == pytest.approx(100)
        assert own["padding_of_kept"] > 0
    assert row("table2", dataset="birds", keep_rate=0.5, stage=1)["padding_of_kept"] == 0
    by_class = row("table5", backbone="ast-tiny", dataset="esc10", keep_rate=0.7, quantity="A, stage 1")
    assert by_class["excess"].value == pytest.approx(by_class["ours"].value - by_class["blind"])


@pytest.mark.parametrize("name", ["table2", "table3", "table5", "low-intensity"])
def test_one_definition_of_signal_with_its_threshold_and_shares_is_said(name):
    told = " ".join(table(name).notes)
    assert "spc2: τ = −0.400" in told  # as the fake has it
    signal = np.concatenate([traced("ast-tiny", "esc10", topk(0.7), fold)[1]["mean"] > TAU for fold in (1, 2)])
    shares = 100 * signal.mean(), 100 * (1 - signal.mean()) - 3.125, 3.125  # 2 of 32 columns of every second clip
    assert f"esc10 {' / '.join(f'{share:.1f}' for share in shares)} %" in told


def test_published_ratios_stand_beside_ours_and_are_marked():
    found = row("table2", dataset="spc2", keep_rate=0.7, stage=2)
    assert (found["ratio_a"].published, found["ratio_b"].published) == (47.1, 50.0)
    assert found["ratio_b"].mark == "†"
    assert found["ratio_b"].difference == pytest.approx(found["ratio_b"].value - 50.0)
    absent = row("table2", dataset="spc2", keep_rate=0.5, stage=1)
    assert absent["ratio_a"] == Cell(why=NOT_MADE, published=33.1, source="P0", mark="†")
    assert "withdrawn" in table("table2").status
    assert row("table2", dataset="birds", keep_rate=0.5, stage=1)["ratio_a"].published is None
    assert {c["backbone"] for c in rows("table2")} == {"audiomae-tiny", "audiomae-b"}


def gamma(backbone: str, dataset: str, rate: float, fold: int, score: str, blocks, pruning: int, bright: bool) -> float:
    """Mean over blocks of the mean over clips of (mean score of kept) / (mean score of pruned)."""
    arrays, stats = traced(backbone, dataset, topk(rate), fold)
    means = []
    for block in blocks:
        found = []
        for i in range(CLIPS):
            kept, entering = set(arrays[f"kept_{pruning}"][i].tolist()), arrays[f"entering_{block}"][i]
            scores = dict(zip(entering.tolist(), arrays[f"score_{score}_{block}"][i].astype(float), strict=True))
            marked = [s for t, s in scores.items() if t in kept and (stats["mean"][i, t] > TAU) == bright]
            if marked:
                found.append(np.mean(marked) / np.mean([s for t, s in scores.items() if t not in kept]))
        means.append(np.mean(found))
    return float(np.mean(means))


@pytest.mark.parametrize(("backbone", "score"), [("audiomae-tiny", "global"), ("ast-tiny", "cls")])
def test_gamma_of_a_group_is_of_the_score_that_ranks(backbone, score):
    own = {c["group"]: c for c in rows("table3", backbone=backbone, dataset="birds", keep_rate=0.7)}
    for group, blocks, pruning in (("G1", range(4), 3), ("G2", range(4, 7), 6), ("G3", range(7, 10), 9)):
        for name, bright in (("gamma_signal", True), ("gamma_background", False)):
            expected = gamma(backbone, "birds", 0.7, 1, score, blocks, pruning, bright)
            assert own[group][name].value == pytest.approx(expected, rel=1e-5)
    assert (
        row("table3", backbone="audiomae-b", method="topk", keep_rate=0.7, group="G3")["gamma_signal"].published == 4.10
    )


def test_class_scored_models_with_accuracy_and_ratios():
    assert {(c["backbone"], c["method"]) for c in rows("table5")} == {
        ("ast-tiny", "topk"), ("ast-b", "topk"), ("audiomae-tiny", "topk.cls"), ("audiomae-b", "topk.cls"),
    }  # fmt: skip
    own = row("table5", backbone="ast-b", keep_rate=0.7, quantity="B, stage 3")
    ratios = [
        len(stages[2][1] & signal) / len(signal) for signal, stages, _ in by_hand("ast-b", "spc2", 0.7, (1,)) if signal
    ]
    assert own["ours"].value == pytest.approx(100 * np.mean(ratios))
    assert (own["ours"].published, own["blind"]) == (52.7, pytest.approx(100 * 23 / 64))
    assert own["excess"].value == pytest.approx(own["ours"].value - own["blind"])
    accuracy = row("table5", backbone="audiomae-b", keep_rate=0.7, quantity="top-1")["ours"]
    (r,) = token_study().cells("evaluate", backbone="audiomae-b", options={"score": "cls"})
    right = [
        int(np.argmax(s)) in own for s, own in zip(r.predictions()["scores"], r.predictions()["labels"], strict=True)
    ]
    assert accuracy.value == pytest.approx(100 * np.mean(right))
    assert accuracy.published == 97.5
    assert rows("table5", quantity="mAP × 100", dataset="birds")


def test_signal_share_beside_the_published_area():
    own = row("signal", dataset="spc2", kind="given", clips="all")
    assert (own["tau"].value, own["tau"].published) == (-0.65, -0.65)
    assert own["pixels"].value == pytest.approx(63.0)
    assert own["patches"].difference == pytest.approx(67.0 - 63.0)
    assert own["patches"].mark == "†"
    assert row("signal", dataset="birds", kind="auto", clips="sample")["n"] == 10


def test_clusters_beside_the_released_edges():
    edges = levels("spc2")["mean"].edges
    own = row("clusters", dataset="spc2", statistic="mean", cluster="C2")
    assert own["upper"].value == pytest.approx(edges[2])
    assert own["upper"].published == -0.3210
    assert own["upper"].mark == ""  # released, not withdrawn
    assert row("clusters", dataset="spc2", statistic="mean", cluster="lower edge")["upper"].published == -0.8172
    shares = [c["share"].value for c in rows("clusters", dataset="birds", statistic="std") if "share" in c]
    assert sum(shares) == pytest.approx(100)


def pairs(backbone: str, dataset: str, block: int, score: str, statistic: str) -> tuple[int, int, int, int]:
    """All pairs of tokens of all clips: total, discordant, tied in score, tied in rank; one by one."""
    arrays, stats = traced(backbone, dataset, Pruning(), 1)
    rank = label(stats[statistic], levels(dataset)[statistic].edges)
    found = np.zeros(4, dtype=int)
    for i in range(CLIPS):
        a, r = arrays[f"score_{score}_{block}"][i], rank[i].astype(int)
        upper = np.triu_indices(len(a), 1)
        da, dr = (np.subtract.outer(x, x)[upper] for x in (a.astype(float), r))
        found += [len(da), (da * dr < 0).sum(), (da == 0).sum(), (dr == 0).sum()]
    return tuple(found.tolist())


@pytest.mark.parametrize(("score", "statistic"), [("global", "mean"), ("cls", "std")])
def test_correlations_count_every_pair(score, statistic):
    by_block = [pairs("ast-b", "spc2", block, score, statistic) for block in range(12)]
    total, discordant, tied_score, tied_rank = by_block[6]
    assert tied_score == 0
    own = row("correlation", backbone="ast-b", score=score, statistic=statistic, block="6")
    concordant = total - discordant - tied_rank
    assert own["tau_star"].value == pytest.approx((total - 2 * discordant) / total)
    assert own["tie_share"].value == pytest.approx(tied_rank / total)
    assert own["strict"].value == pytest.approx((concordant - discordant) / total)
    assert own["gamma"].value == pytest.approx((concordant - discordant) / (concordant + discordant))
    assert own["tau_b"].value == pytest.approx((concordant - discordant) / np.sqrt(total * (total - tied_rank)))
    mean = row("correlation", backbone="ast-b", score=score, statistic=statistic, block="mean of 12")
    assert mean["tau_star"].value == pytest.approx(np.mean([(t - 2 * d) / t for t, d, _, _ in by_block]))
    assert mean["tau_star"].low < mean["tau_star"].value < mean["tau_star"].high


def test_released_correlations_stand_beside_ours():
    own = {
        s: row("correlation", backbone="audiomae-b", score=s, statistic="mean", block="9") for s in ("global", "cls")
    }
    assert round(own["global"]["tau_star"].published, 3) == 0.730
    assert own["cls"]["tau_star"].published is None  # the released ones are of the global score
    mean = row("correlation", backbone="ast-b", score="cls", statistic="std", block="mean of 12")
    assert round(mean["tau_star"].published, 3) == 0.600


def low_share(backbone: str, rate: float, **options) -> np.ndarray:
    arrays, stats = traced(backbone, "spc2", topk(rate, **options), 1)
    low = label(stats["mean"], levels("spc2")["mean"].edges) <= 1
    return np.array([low[i, arrays["kept_9"][i]].mean() for i in range(CLIPS)])


def test_low_intensity_differences_are_paired_by_clip():
    ours, other = low_share("audiomae-b", 0.7), low_share("ast-b", 0.7)
    found = row("low-intensity", backbone="ast-b", keep_rate=0.7)
    assert found["low_of_kept"].value == pytest.approx(100 * other.mean())
    paired = found["low_of_kept_audiomae_minus_this"]
    assert paired.value == pytest.approx(100 * (ours - other).mean())
    # recordings of two clips each, drawn as everywhere: the spread is that of paired differences
    by_recording = (ours - other).reshape(-1, 2).mean(axis=1)
    spread = 100 * by_recording.std() / np.sqrt(len(by_recording))
    assert (paired.high - paired.low) / (2 * 1.96 * spread) == pytest.approx(1, abs=0.12)
    by_class = row("low-intensity", backbone="audiomae-b", keep_rate=0.7, score="cls")
    expected = 100 * (ours - low_share("audiomae-b", 0.7, score="cls")).mean()
    assert by_class["low_of_kept_audiomae_minus_this"].value == pytest.approx(expected)
    assert "low_of_kept_audiomae_minus_this" not in row(
        "low-intensity", backbone="audiomae-b", keep_rate=0.7, score="global"
    )


def test_low_intensity_is_told_apart_from_padding():
    """Padding is of the lowest cluster: what is of low intensity without it is the rest."""
    own = row("low-intensity", backbone="ast-tiny", dataset="esc10", keep_rate=0.7)
    assert own["padding_of_kept"].value > 0
    assert own["low_inside_of_kept"].value == pytest.approx(own["low_of_kept"].value - own["padding_of_kept"].value)
    assert own["low_inside_of_kept_audiomae_minus_this"].value == pytest.approx(
        own["low_of_kept_audiomae_minus_this"].value - own["padding_of_kept_audiomae_minus_this"].value
    )
    told = named.get("table", "low-intensity").HEADLINE.caution([r.cells for r in table("low-intensity").rows])
    arrays, stats = traced("audiomae-tiny", "fsdd-digits", topk(0.5), 1)
    last = stats["mean"].shape[1] - 8  # time-major: the last column of every second clip is padding, the one before cut
    kept = [arrays["kept_9"][i] for i in range(1, CLIPS, 2)]
    padding, cut = (50 * np.mean([((k >= at) & (k < at + 8)).mean() for k in kept]) for at in (last, last - 8))
    assert f"audiomae-tiny by global on fsdd-digits, {padding:.1f} % padding, {cut:.1f} % cut by the clip's end" in told
    assert "birds" not in told


def test_clusters_and_areas_show_padding():
    own = row("clusters", dataset="esc10", statistic="mean", cluster="C1")
    assert own["padding"] == pytest.approx(3.125)  # 2 of 32 columns of every second clip, in percent of all patches
    assert row("clusters", dataset="esc10", statistic="mean", cluster="C2")["padding"] == 0
    areas = row("signal", dataset="spc2", kind="given", clips="all")
    assert (areas["background"], areas["padding"]) == (pytest.approx(23), pytest.approx(10))
    assert any("kept on purpose" in note for note in table("clusters").notes)


def test_a_difference_is_over_the_folds_that_both_have():
    """One fold of the model that ranks by CLS, two of the other."""
    own = row("low-intensity", backbone="audiomae-tiny", dataset="esc10", score="cls")[
        "low_of_kept_audiomae_minus_this"
    ]
    shares = []
    for options in ({}, {"score": "cls"}):
        cells = token_study().cells("tokens", backbone="audiomae-tiny", dataset="esc10", options=options, fold=1)
        (r,) = [r for r in cells if r.inputs["trace"].settings.pruning.keep_rate == 0.7]
        stages = r.frame()
        shares.append(stages[stages["stage"] == 3]["low_of_kept"].mean())
    assert own.value == pytest.approx(100 * (shares[0] - shares[1]))
    assert own.note == "over the 1 of 2 runs (folds and seeds) that all sides have"


def test_audit_of_an_intensity_selection_and_how_near_the_published_table_is():
    own = row("audit", backbone="audiomae-b", method="topk", keep_rate=0.7, map="right", selection="intensity")
    kept = [45, 32, 23]  # of 64
    sizes = [len(signal) for signal, _, _ in by_hand("audiomae-b", "spc2", 0.7, (1,)) if signal]
    for stage, k in enumerate(kept, start=1):
        expected = np.mean([min(1, k / s) for s in sizes]) - k / 64
        assert own[f"stage{stage}"].value == pytest.approx(100 * expected)
    assert own["largest"].published == pytest.approx(
        max(abs(b - 100 * k / 64) for b, k in zip((70.4, 50.0, 36.0), kept))
    )
    shuffled = row("audit", backbone="audiomae-b", method="topk", keep_rate=0.7, map="shuffled", selection="intensity")
    assert shuffled["largest"].value < own["largest"].value / 4
    assert shuffled["blind1"].low < 0 < shuffled["blind1"].high
    assert row("audit", backbone="ast-b", keep_rate=0.7, map="right", selection="random")["largest"].published is None


def test_audits_of_two_folds_are_weighted_by_clips():
    own = row(
        "audit",
        backbone="audiomae-tiny",
        dataset="esc10",
        method="topk",
        keep_rate=0.5,
        map="right",
        selection="the model",
    )
    excess = [
        len(stages[0][1] & signal) / len(signal) - 0.5
        for signal, stages, _ in by_hand("audiomae-tiny", "esc10", 0.5, (1, 2))
        if signal
    ]
    assert own["stage1"].value == pytest.approx(100 * np.mean(excess))


def test_headings_say_clips_and_folds_once_for_a_model():
    headings = list(dict.fromkeys(r.group for r in table("table5").rows))
    assert "ast-tiny on esc10: 32 clips, 2 of 5 folds" in headings
    assert "audiomae-b, topk by cls, on spc2: 16 clips" in headings
    assert len(headings) == 6


def test_tables_of_nothing_have_no_rows():
    empty = Results("empty", [], token_study().dataset)
    for name in ("table2", "table3", "table5", "signal", "clusters", "correlation", "low-intensity", "audit"):
        assert named.get("table", name).build(empty).rows == ()


def test_clips_of_the_fakes_have_two_clips_a_recording():
    assert len(set(clips(1)[1])) == CLIPS // 2
