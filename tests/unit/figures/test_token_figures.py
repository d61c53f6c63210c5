"""Figures of token analyses on the fake study: their data equal what the cells hold; each shows its kind of data."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from audioprune.cells.query import value_of
from audioprune.config.file import load
from audioprune.exhibits import named
from audioprune.exhibits.figure_files import draw_figure
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from audioprune.results.correlations import correlations
from audioprune.results.study import Results
from audioprune.results.tokens import analysed, groups
from audioprune.settings.model import Pruning
from audioprune.tokens.kmeans import label
from tests import REPOSITORY
from tests.fakes.tokens import CLIPS, levels, padded, statistics, token_study, traced

SHOWN = {  # figure: backbones and datasets of the fake study
    "figure4": {"fsdd-digits", "esc10", "spc2"},
    "figure8": {"birds"},
    "figure5": {"fsdd-digits", "esc10", "spc2"},
    "figure11": {"birds"},
    "figure14": {"fsdd-digits", "esc10", "spc2", "birds"},
    "figure6": {"fsdd-digits", "esc10", "spc2"},
    "figure9": {"birds"},
    "figure13": {"esc10", "spc2"},
    "figure15": {"fsdd-digits", "esc10", "spc2", "birds"},
    "figure7": {"fsdd-digits", "esc10", "spc2"},
    "figure10": {"birds"},
}
FAMILIES = {
    "figure5": "audiomae",
    "figure11": "audiomae",
    "figure14": "ast",
    "figure6": "audiomae",
    "figure9": "audiomae",
}
FAMILIES |= {"figure13": "audiomae", "figure15": "ast"}


@cache
def drawn(name: str):
    return draw_figure(named.get("figure", name), token_study())


@pytest.mark.parametrize("name", SHOWN)
def test_each_figure_shows_its_kind_of_data(name):
    _, frame = drawn(name)
    assert set(frame["dataset"]) == SHOWN[name]
    if name in FAMILIES:
        assert {b.rpartition("-")[0] for b in frame["backbone"]} == {FAMILIES[name]}


@pytest.mark.parametrize(
    ("name", "datasets"),
    [
        ("figure4", {"spc2", "esc50"}),
        ("figure8", {"voxceleb1", "as20k"}),
        ("figure5", {"spc2", "esc50"}),
        ("figure9", {"voxceleb1", "as20k"}),
        ("figure13", {"spc2", "esc50"}),
        ("figure15", {"spc2", "esc50", "as20k"}),
        ("figure10", {"voxceleb1", "as20k"}),
    ],
)
def test_in_the_paper_study_they_show_what_the_paper_shows(name, datasets, monkeypatch):
    monkeypatch.setenv("AUDIOPRUNE_DEVICE", "a device")
    study = study_of(Planner(load(REPOSITORY / "config.yaml")), "paper")
    assert {value_of(c, "dataset") for c in named.get("figure", name).needs(study)} == datasets


def test_histogram_is_a_density():
    _, frame = drawn("figure4")
    own = frame[(frame["dataset"] == "spc2") & (frame["tau_kind"] == "given")]
    assert (own["density"] * (own["high"] - own["low"])).sum() == pytest.approx(1)
    assert set(own["tau"]) == {-0.65}


def test_ratio_a_of_every_clip_at_every_stage():
    _, frame = drawn("figure5")
    own = frame[(frame["backbone"] == "audiomae-b") & (frame["keep_rate"] == 0.7) & (frame["stage"] == 2)]
    arrays, stats = traced("audiomae-b", "spc2", Pruning(method="topk", keep_rate=0.7), 1)
    expected = [(stats["mean"][i, arrays["kept_6"][i]] > -0.4).sum() / 45 for i in range(CLIPS)]
    assert own["ratio_a"].tolist() == pytest.approx(expected)


def test_gamma_ends_with_the_last_pruning_block():
    _, frame = drawn("figure13")
    assert set(frame["method"]) == {"topk.cls"}
    assert sorted(set(frame["block"])) == list(range(10))
    assert set(frame["kind"]) == {"gamma_s", "gamma_b"}
    assert (frame["low"] <= frame["gamma"]).all()


def test_norms_are_means_and_the_unpruned_model_is_one():
    _, frame = drawn("figure7")
    own = frame[(frame["backbone"] == "ast-tiny") & (frame["dataset"] == "esc10") & (frame["block"] == 4)]
    means = {
        rate: np.mean(
            [traced("ast-tiny", "esc10", Pruning(method="topk", keep_rate=rate), f)[0]["norms"][:, 4] for f in (1, 2)]
        )
        for rate in (1.0, 0.7, 0.5)
    }
    assert own["keep_rate"].tolist() == [1.0, 0.7, 0.5]
    assert own["ratio"].tolist() == pytest.approx(list(means.values()))
    assert own["normalised"].tolist() == pytest.approx([m / means[1.0] for m in means.values()])
    assert own["normalised_low"].iloc[0] == own["normalised_high"].iloc[0] == 1


def test_occurrence_counts_input_and_survivors():
    _, frame = drawn("occurrence")
    totals = frame[frame["dataset"] == "esc10"].groupby(["panel", "backbone"])["tokens"].sum()
    top = levels("esc10")["std"].edges
    limit = top[0] + 0.75 * (top[-1] - top[0])
    sound = ~padded("esc10", "time")
    inside = sum(int(((statistics("esc10", fold, "time")["std"] <= limit) & sound).sum()) for fold in (1, 2))
    assert totals["input", ""] == inside
    kept, behind = 0, []
    for fold in (1, 2):
        arrays, stats = traced("ast-tiny", "esc10", Pruning(method="topk", keep_rate=0.5), fold)
        at = arrays["kept_9"].astype(int)
        gone = np.take_along_axis(padded("esc10", "freq"), at, axis=1)
        kept += int(((np.take_along_axis(stats["std"], at, axis=1) <= limit) & ~gone).sum())
        behind.append(gone.mean())
    assert totals["survivors", "ast-tiny"] == kept
    shares = frame[frame["dataset"] == "esc10"].groupby(["panel", "backbone"])["padding"].first()
    assert frame["tokens"].min() == 1  # bins without a token are no rows
    assert shares["input", ""] == 2 / 32 / 2  # the last 2 of 32 columns of every second clip
    assert shares["survivors", "ast-tiny"] == pytest.approx(np.mean(behind))
    assert set(frame[frame["dataset"] == "spc2"]["keep_rate"]) == {1.0, 0.7}  # the nearest to 0.5 that was run


def test_rank_correlation_is_kendalls_over_the_pairs_of_all_clips():
    """τ-b counted pair by pair: AudioMAE on SPC-2, block 5, the global score and the cluster of the mean."""
    _, frame = drawn("rank-correlation")
    arrays, stats = traced("audiomae-b", "spc2", Pruning(method="topk", keep_rate=1.0), 1)
    score, cluster = arrays["score_global_5"], label(stats["mean"], levels("spc2")["mean"].edges).astype(int)
    upper = np.triu_indices(score.shape[1], 1)
    x, y = (np.sign(a[:, :, None] - a[:, None, :].astype(float))[:, *upper] for a in (score, cluster))
    expected = (x * y).sum() / np.sqrt((x != 0).sum() * (y != 0).sum())
    at = (frame["backbone"] == "audiomae-b") & (frame["block"] == 5) & (frame["score"] == "global")
    (value,) = frame[at & (frame["statistic"] == "mean")]["value"]
    assert value == pytest.approx(expected)


def test_rank_correlation_is_not_cut_off():
    """Every interval lies within its panels, whose upper and lower one have one scale."""
    fig, frame = drawn("rank-correlation")
    panels = [(ax.get_title(loc="left"), ax) for ax in fig.axes if ax.get_title(loc="left")]
    assert [title for title, _ in panels] == ["FSDD Digits", "ESC-10", "Birds", "SPC-2"]
    for ax, dataset in zip((ax for _, ax in panels), dict.fromkeys(frame["dataset"]), strict=True):
        own = frame[frame["dataset"] == dataset]
        assert ax.get_ylim()[0] < own["low"].min() < own["high"].max() < ax.get_ylim()[1]
    assert len([ax for ax in fig.axes if ax.get_visible() and ax.lines]) == 2 * len(panels)


@pytest.mark.parametrize("name", ["figure4-8", "figure5-11-14", "figure6-9-13-15", "figure7-10"])
def test_one_figure_shows_all_that_its_numbers_show(name):
    """Row by row: every row of the figures that it has the numbers of, and none besides."""
    _, whole = drawn(name)
    parts = [drawn(f"figure{number}")[1] for number in name.removeprefix("figure").split("-")]
    rows = {frozenset(row.items()) for part in parts for row in part.astype(str).to_dict("records")}
    assert {frozenset(row.items()) for row in whole.astype(str).to_dict("records")} == rows
    assert len(whole) == len(rows)


def test_a_curve_of_ratio_a_is_the_distribution_over_clips():
    fig, frame = drawn("figure5")
    (ax,) = [ax for ax in fig.axes if ax.get_title(loc="left") == "AudioMAE-B\nSPC-2"]
    own = frame[(frame["backbone"] == "audiomae-b") & (frame["keep_rate"] == 0.7)]
    assert len(ax.lines) == 3  # stages
    for line, stage in zip(ax.lines, (1, 2, 3), strict=True):
        values = own[own["stage"] == stage]["ratio_a"].to_numpy()
        x, y = line.get_data()
        assert (x[0], x[-1]) == (values.min(), values.max())
        assert x[list(y).index(0.5)] == pytest.approx(np.median(values))


def test_a_bar_of_padding_is_cut_and_says_its_height():
    from audioprune.figures.log_mel import _top

    assert _top(np.array([0.2, 1.0, 0.9, 11.6])) == 1.0
    assert _top(np.array([0.2, 1.0, 0.9, 1.8])) == 1.8
    assert _top(np.array([3.0])) == 3.0


def test_label_maps_are_in_points_and_each_selection_has_all_stages():
    fig, frame = drawn("label-maps")
    cell = next(r for r in token_study().cells("tokens") if r.ok and r.address.startswith("audiomae-b/spc2/topk"))
    raw = cell.frame("audit.parquet")
    own = frame[(frame["backbone"] == "audiomae-b") & (frame["method"] == "topk")]
    assert sorted(own["excess"]) == pytest.approx(sorted(100 * raw["excess"]))
    drawn_at = {
        float(x) for ax in fig.axes for line in ax.lines for x in line.get_xdata() if line.get_marker() != "None"
    }
    assert drawn_at == {float(x) for x in frame["excess"]}


def test_correlations_are_computed_once():
    results = token_study()
    group = groups(results, analysed(results, pruned=False))[0]
    assert correlations(results, group) is correlations(results, group)


def test_cluster_shares_are_those_of_the_cells():
    _, frame = drawn("cluster-shares")
    own = frame[(frame["dataset"] == "birds") & (frame["statistic"] == "mean")]
    assert own["upper"].tolist() == pytest.approx(list(levels("birds")["mean"].edges[1:]))
    assert own["percent"].tolist() == list(levels("birds")["mean"].truncated)


@pytest.mark.parametrize("name", [*SHOWN, "occurrence", "rank-correlation", "cluster-shares", "label-maps"])
def test_a_figure_without_cells_says_why(name):
    fig, frame = draw_figure(named.get("figure", name), Results("empty", [], token_study().dataset))
    assert frame.empty
    assert fig.texts[0].get_text().startswith("not run: ")
