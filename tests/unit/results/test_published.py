"""The published numbers: closed schema, counts, spot values, and what must hold among them."""

from __future__ import annotations

import math
import shutil

import pytest

from audioprune.errors import UserError
from audioprune.results import published

COUNTS = {
    "table1": 54,
    "table2": 72,
    "table3": 72,
    "table4": 40,
    "table5": 96,
    "table6": 94,
    "table7": 56,
    "figure4": 12,
    "p2": 23,
    "released_recipes": 184,
    "clusters": 40,
    "correlation": 220,
    "speech": 21,
}
CLIPS = {"spc2": 11005, "esc50": 2000, "voxceleb1": 8251, "as20k": 18886}
PATCHES = {"spc2": 64, "esc50": 256, "voxceleb1": 512, "as20k": 512}
DATASETS = {"", "spc2", "esc50", "voxceleb1", "as20k", "as2m"}


def cell(name: str, **wanted) -> float:
    frame = published.load(name)
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1, (name, wanted, len(frame))
    return frame["value"].item()


def test_every_file_has_its_rows_and_names_of_the_project():
    assert published.names() == tuple(sorted(COUNTS))
    for name, count in COUNTS.items():
        frame = published.load(name)
        assert len(frame) == count, name
        if name == "speech":
            continue
        assert set(frame["dataset"]) <= DATASETS
        assert set(frame["backbone"]) <= {"", "audiomae-b", "ast-b", "ast-mp-b"}
        assert set(frame["method"]) <= {"", "none", "topk", "topk.cls", "tome"}
        numeric = frame["unit"] != "text"
        assert frame.loc[numeric, "value"].map(math.isfinite).all()
        assert frame.loc[~numeric, "value"].isna().all()
        assert (frame.loc[frame["keep_rate"] == 1, "method"] == "none").all()


def test_spot_values():
    assert cell("table1", dataset="esc50", keep_rate=0.6, metric="top1") == 93.75
    assert cell("table1", dataset="as20k", keep_rate=0.7, metric="macs") == 31.12
    assert cell("table7", dataset="voxceleb1", keep_rate=0.5, metric="throughput") == 554
    assert cell("table2", dataset="as20k", keep_rate=0.7, location="9", metric="ratio_b") == 34.5
    assert cell("table3", dataset="spc2", keep_rate=0.9, location="G3", metric="gamma_background") == 13.14
    assert cell("table4", dataset="esc50", keep_rate=0.5, location="I") == 76.40
    assert cell("table5", backbone="ast-b", dataset="spc2", keep_rate=0.5, location="3", metric="ratio_b") == 73.3
    assert cell("table6", backbone="audiomae-b", dataset="voxceleb1", metric="min_lr") == 1e-6
    assert cell("figure4", dataset="voxceleb1", metric="tau") == -1.25
    assert cell("clusters", dataset="esc50", location="upper edge of C3", metric="mean_cluster_edge") == 0.1130
    printed = published.load("table1")
    assert "4.30" in set(printed["printed"])
    assert "-0.5" in set(printed["printed"])


def test_tables_one_four_and_seven_agree_but_for_the_known_misprint():
    one, four, seven = (published.load(name) for name in ("table1", "table4", "table7"))
    keys = ["dataset", "keep_rate", "metric"]
    scores = [frame[frame["metric"].isin(("top1", "map"))].set_index(keys)["value"] for frame in (one, seven)]
    differing = scores[0][scores[0] != scores[1]]
    assert list(differing.index) == [("as20k", 1.0, "map")]
    assert scores[1][("as20k", 1.0, "map")] == 0.371
    for row in four[four["location"] == "none"].itertuples():
        assert row.value == scores[0][(row.dataset, row.keep_rate, "top1")]


def test_stated_drops_follow_from_the_table():
    for dataset, drop in (("spc2", 0.67), ("esc50", 0.90)):
        base, pruned = (cell("table1", dataset=dataset, keep_rate=rate, metric="top1") for rate in (1.0, 0.5))
        assert round(base - pruned, 2) == drop == cell("table1", dataset=dataset, metric="drop")


@pytest.mark.parametrize(
    ("dataset", "expected"), [("spc2", 1.771), ("esc50", 1.951), ("voxceleb1", 2.052), ("as20k", 2.022)]
)
def test_speed_ups_at_half(dataset, expected):
    fast, base = (cell("table7", dataset=dataset, keep_rate=rate, metric="throughput") for rate in (0.5, 1.0))
    assert fast / base == pytest.approx(expected, abs=5e-4)


def test_p2_values_and_drops_imply_one_baseline_each():
    frame = published.load("p2")
    base = {row.dataset: row.value for row in frame.itertuples() if row.method == "none"}
    assert base == {"as20k": 38.7, "esc50": 95.05, "spc2": 97.33}
    pruned = frame[frame["method"] == "topk"].set_index(["dataset", "keep_rate", "metric"])["value"]
    for (dataset, keep_rate, metric), value in pruned.items():
        if metric in ("top1", "map"):
            assert value + pruned[(dataset, keep_rate, "drop")] == pytest.approx(base[dataset], abs=1e-9)
    assert set(frame.loc[frame["metric"] == "macs_remaining", "unit"]) == {"pct_remaining"}


def test_ratio_b_of_the_withdrawn_table_is_the_kept_share_of_random_selection():
    for row in published.load("table2").query("metric == 'ratio_b'").itertuples():
        kept = patches = PATCHES[row.dataset]
        for _ in range(int(row.location) // 3):
            kept = -(-kept * round(10 * row.keep_rate) // 10)
        assert abs(row.value - 100 * kept / patches) <= 0.2001


def test_accuracies_are_whole_numbers_of_clips():
    for name in ("table1", "table4"):
        for row in published.load(name).query("metric == 'top1'").itertuples():
            correct = row.value / 100 * CLIPS[row.dataset]
            assert abs(correct - round(correct)) <= 0.005 / 100 * CLIPS[row.dataset] + 1e-9
            if row.dataset == "esc50":
                assert round(row.value * 20, 6) == round(row.value * 20)


def test_correlations_are_exact_fractions_of_the_pairs_of_the_full_sets():
    """Each released value is the double (2C - n) / n for a whole C, n = clips x pairs of tokens."""
    frame = published.load("correlation").query("unit == 'tau_star'")
    assert len(frame) == 18 * 12
    for row in frame.itertuples():
        pairs = CLIPS[row.dataset] * PATCHES[row.dataset] * (PATCHES[row.dataset] - 1) // 2
        concordant = round((row.value + 1) / 2 * pairs)
        assert (2 * concordant - pairs) / pairs == row.value


def test_means_of_the_released_correlations():
    frame = published.load("correlation")
    means = frame.groupby(["metric", "backbone", "dataset"])["value"].mean()
    assert means["tau_star_mean", "audiomae-b", "as20k"] == pytest.approx(0.455, abs=5e-4)
    assert means["tau_star_std", "ast-b", "esc50"] == pytest.approx(0.640, abs=5e-4)
    assert means["tau_star_var", "audiomae-b", "voxceleb1"] == pytest.approx(0.616, abs=5e-4)
    assert cell("correlation", metric="tau_star_mean", backbone="audiomae-b", dataset="spc2", location="1") < -0.22


def test_cluster_edges_ascend_and_shares_sum_to_one():
    frame = published.load("clusters")
    for _, group in frame[frame["metric"].str.endswith("edge")].groupby(["dataset", "metric"]):
        assert len(group) == 6
        assert group["value"].is_monotonic_increasing
    shares = frame[frame["metric"] == "mean_cluster_share"].groupby("dataset")["value"].sum()
    assert dict(shares.round(6)) == {"as20k": 1.0, "esc50": 1.0}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("percent", "per cent", "unit 'per cent' is unknown; did you mean 'percent'"),
        ("97.95", "97,95", "cells"),
        ("97.95", "9x", "value '9x' is not a number"),
        ("withdrawn", "released", "status of P0 is 'withdrawn'"),
        ("none,1.0", "none,1.5", "keep_rate '1.5' is not in"),
        ("metric,value", "value,metric", "columns must be"),
    ],
)
def test_a_row_outside_the_schema_is_refused_by_line(tmp_path, old, new, message):
    text = (published.FOLDER / "table1.csv").read_text(encoding="utf-8")
    (tmp_path / "table1.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        published.rows("table1", tmp_path)


def test_duplicates_and_unknown_names_are_refused(tmp_path):
    lines = (published.FOLDER / "figure4.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "figure4.csv").write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 14: says the same as line 2"):
        published.rows("figure4", tmp_path)
    shutil.copy(published.FOLDER / "table1.csv", tmp_path)
    with pytest.raises(UserError, match="did you mean 'table1'"):
        published.rows("tabel1", tmp_path)


def test_error_rates_of_recognisers_have_a_source_and_a_decoding():
    frame = published.load("speech")
    rates = frame[frame["metric"] == "wer"]
    assert set(rates["location"]) == {"test-clean", "test-other"}
    assert (rates["note"] != "").all()
    found = {(row.backbone, row.location): row.value for row in rates.itertuples()}
    assert found == {
        ("wav2vec2-b", "test-clean"): 3.4, ("wav2vec2-b", "test-other"): 8.6, ("whisper-tiny-en", "test-clean"): 8.44,
        ("whisper-tiny-en", "test-other"): 14.86, ("whisper-base-en", "test-clean"): 4.25,
        ("whisper-tiny", "test-clean"): 6.7, ("whisper-base", "test-clean"): 4.9, ("whisper-small", "test-clean"): 3.3,
        ("whisper-medium", "test-clean"): 2.7, ("whisper-base", "test-other"): 12.4,
    }  # fmt: skip
