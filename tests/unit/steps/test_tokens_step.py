"""The steps `clusters` and `tokens` on generated sounds, from audio to tidy tables, for both families."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.audio.patches import patch_mean, patch_std, to_tokens, token_index
from audioprune.audio.store import WaveformStore
from audioprune.audio.truth import signal_patches
from audioprune.errors import UserError
from audioprune.settings.evaluation import ClustersSettings, TokensSettings
from audioprune.steps.clusters import clusters, evaluation_rows
from audioprune.steps.tokens import tokens
from tests.fakes.sounds import CLIPS, PATCHES, TRAIN, data, made, traced

N = CLIPS - TRAIN
BACKBONES = ("audiomae-tiny", "ast-tiny")


def analysed(folder: Path, trace: Path, **settings) -> Path:
    inputs = {"trace": trace, **{name: data()[name] for name in ("audio", "features", "clusters")}}
    return made(tokens, folder / "cell", TokensSettings(**settings), inputs)


def table(cell: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(cell / f"{name}.parquet")


@pytest.fixture(scope="module")
def test_features() -> np.ndarray:
    return FeatureStore.open(data()["features"]).fbank(range(TRAIN, CLIPS))


def test_clusters_are_of_all_patches_of_the_evaluation_clips(test_features):
    cell = data()["clusters"]
    found = pd.read_csv(cell / "clusters.csv")
    results = records.read(cell)["results"]
    for name, values in (("mean", patch_mean(test_features)), ("std", patch_std(test_features))):
        values, own = values.double().numpy().ravel(), found[found["statistic"] == name]
        assert own["cluster"].tolist() == ["C1", "C2", "C3", "C4", "C5"]
        assert own["patches"].sum() == N * PATCHES == len(values)
        assert own["share"].sum() == pytest.approx(1)
        assert own["percent"].tolist() == [int(100 * share + 1e-9) for share in own["share"]]
        assert (own["lower"].iloc[0], own["upper"].iloc[-1]) == pytest.approx((values.min(), values.max()))
        nearest = np.abs(values[:, None] - own["centre"].to_numpy()).argmin(axis=1)
        assert np.bincount(nearest).tolist() == own["patches"].tolist()
        assert results["edges"][name] == pytest.approx([*own["lower"], own["upper"].iloc[-1]])


def test_tau_and_signal_areas(test_features):
    cell = data()["clusters"]
    results, sample = records.read(cell)["results"], pd.read_csv(cell / "sample.csv")
    assert len(sample) == results["sampled_clips"] == 10
    assert set(sample["row"]) < set(range(TRAIN, CLIPS))
    x = test_features[sample["row"].to_numpy() - TRAIN]
    low, high = float(x.min()), float(x.max())
    assert results["tau"] == {"given": -0.1, "auto": pytest.approx(low + (high - low) / 10)}
    areas = pd.read_csv(cell / "signal.csv").set_index(["tau", "clips", "unit"])["share"]
    for name, tau in results["tau"].items():
        assert areas[name, "all", "pixels"] == pytest.approx(float((test_features > tau).double().mean()))
        assert areas[name, "sample", "pixels"] == pytest.approx(float((x > tau).double().mean()))
        assert areas[name, "all", "patches"] == pytest.approx(float((patch_mean(test_features) > tau).double().mean()))
        assert areas[name, "sample", "patches"] == pytest.approx(float((patch_mean(x) > tau).double().mean()))
    pixels = pd.read_csv(cell / "pixels.csv")
    assert pixels["pixels"].sum() == x.numel()
    assert (len(pixels), pixels["low"].iloc[0], pixels["high"].iloc[-1]) == pytest.approx((100, low, high))


def test_evaluation_clips_are_those_of_all_folds_or_of_the_test_split():
    folded = pd.DataFrame({"fold": [1, 0, 2, 5], "split": ""})
    fixed = pd.DataFrame({"fold": 0, "split": ["train", "test", "val", "test"]})
    assert evaluation_rows(folded).tolist() == [0, 2, 3]
    assert evaluation_rows(fixed).tolist() == [1, 3]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_tables_follow_from_trace_and_features(backbone, tmp_path, test_features):
    """Every number once more, clip by clip, with sets and loops, on patches named by time and frequency."""
    trace = traced(backbone, "topk")
    facts = records.read(trace)["results"]
    assert (facts["score"], facts["patch"], facts["stride"]) == ("cls" if backbone == "ast-tiny" else "global", 16, 16)
    cell = analysed(tmp_path, trace)
    orientation = "freq" if backbone == "ast-tiny" else "time"
    means = to_tokens(patch_mean(test_features), orientation).numpy()
    edges = records.read(data()["clusters"])["results"]["edges"]["mean"]
    stages, attention = table(cell, "stages"), table(cell, "attention").set_index(["clip", "block", "score"])
    names = pd.read_parquet(trace / "clips.parquet")["clip"]
    assert len(stages) == 3 * N
    assert len(table(cell, "blocks")) == 12 * N
    assert len(attention) == 10 * 2 * N
    with np.load(trace / "trace.npz") as arrays:
        for i in (0, 7, N - 1):
            signal = set(np.flatnonzero(means[i] > np.float32(-0.1)).tolist())
            low = set(np.flatnonzero(means[i] <= edges[2]).tolist())
            before = set(range(PATCHES))
            for stage, block in enumerate((3, 6, 9), start=1):
                kept = set(arrays[f"kept_{block}"][i].tolist())
                row = stages[(stages["clip"] == names[i]) & (stages["block"] == block)].iloc[0]
                assert (row["stage"], row["kept"], row["entering"]) == (stage, PATCHES >> stage, len(before))
                assert row["ratio_a"] == pytest.approx(len(signal & kept) / len(before))
                assert row["ratio_b"] == pytest.approx(len(signal & kept) / len(signal))
                assert row["excess"] == pytest.approx(row["ratio_b"] - len(kept) / PATCHES)
                assert row["low_of_kept"] == pytest.approx(len(low & kept) / len(kept))
                assert row["low_of_input"] == pytest.approx(len(low & kept) / len(low))
                inside = range(block - 3 if stage == 1 else block - 2, block + 1)
                for within in inside:
                    entering = arrays[f"entering_{within}"][i].tolist()
                    assert set(entering) == before
                    for kind in ("global", "cls"):
                        score = dict(zip(entering, arrays[f"score_{kind}_{within}"][i].tolist(), strict=True))
                        pruned = np.mean([score[p] for p in before - kept])
                        own = attention.loc[(names[i], within, kind)]
                        assert own["group"] == stage
                        for column, part in (("gamma_s", kept & signal), ("gamma_b", kept - signal)):
                            expected = np.mean([score[p] for p in part]) / pruned if part else np.nan
                            assert own[column] == pytest.approx(expected, rel=1e-5, nan_ok=True)
                before = kept
        norms = table(cell, "blocks").pivot(index="clip", columns="block", values="norm").loc[names]
        assert norms.to_numpy() == pytest.approx(arrays["norms"])


@pytest.mark.parametrize("backbone", BACKBONES)
def test_correlations_by_a_double_loop(backbone, tmp_path, test_features):
    trace = traced(backbone, "topk")
    found = table(analysed(tmp_path, trace), "correlation")
    assert len(found) == 12 * 2 * 2 * 2 * N
    orientation = "freq" if backbone == "ast-tiny" else "time"
    stds = to_tokens(patch_std(test_features), orientation).double().numpy()
    edges = records.read(data()["clusters"])["results"]["edges"]["std"]
    names = pd.read_parquet(trace / "clips.parquet")["clip"]
    with np.load(trace / "trace.npz") as arrays:
        for block, kind, i in ((0, "cls", 0), (7, "global", 3), (11, "global", 5)):
            own = found[(found["clip"] == names[i]) & (found["block"] == block) & (found["score"] == kind)]
            a, numbers = arrays[f"score_{kind}_{block}"][i].astype(float), arrays[f"entering_{block}"][i]
            levels = (stds[i][:, None] > np.array(edges[1:-1])).sum(axis=1)
            for rank, r in (("raw", stds[i][numbers]), ("cluster", levels[numbers])):
                row = own[(own["statistic"] == "std") & (own["rank"] == rank)].iloc[0]
                upper = np.triu_indices(len(a), 1)
                da, dr = (a[:, None] - a)[upper], (r[:, None] - r)[upper]
                assert row["total"] == len(da)
                assert row["discordant"] == (da * dr < 0).sum()
                assert row["tied_rank"] == (dr == 0).sum()
                assert row["tied_score"] == (da == 0).sum()
                assert row["tied_both"] == ((da == 0) & (dr == 0)).sum()


def test_an_unpruned_model_has_correlations_and_norms_but_no_stages(tmp_path):
    cell = analysed(tmp_path, traced("audiomae-tiny", "none", 1.0))
    assert len(table(cell, "stages")) == 0
    assert len(table(cell, "blocks")) == 12 * N
    assert (table(cell, "correlation")["total"] == PATCHES * (PATCHES - 1) // 2).all()
    assert not (cell / "attention.parquet").exists()
    assert not (cell / "audit.parquet").exists()
    results = records.read(cell)["results"]
    assert (results["keep_rate"], results["pruning_blocks"], results["tau"]) == (1.0, [], -0.1)
    with np.load(cell / "occurrence.npz") as saved:
        assert set(saved.files) == {"mean_edges", "std_edges", "input", "padding_input", "tokens_input"}


def test_occurrence_of_input_and_survivors(tmp_path):
    cell = analysed(tmp_path, traced("audiomae-tiny", "topk"))
    with np.load(cell / "occurrence.npz") as saved:
        assert saved["mean_edges"][[0, -1]] == pytest.approx(
            np.array(records.read(data()["clusters"])["results"]["edges"]["mean"])[[0, -1]]
        )
        assert saved["input"].shape == (20, 20)
        assert 0.9 * N * PATCHES < saved["input"].sum() <= N * PATCHES
        for block, k in ((3, 64), (6, 32), (9, 16)):
            assert (saved[f"after_{block}"] <= saved["input"]).all()
            assert 0.8 * N * k < saved[f"after_{block}"].sum() <= N * k


def shortened(folder: Path, ends: list[int]) -> Path:
    """The sounds' features, of which the first test clips end after these frames; pixels as they were."""
    source = data()["features"]
    folder.mkdir()
    for name in ("fbank.npy", "stats.json"):
        (folder / name).symlink_to(source / name)
    frames = np.load(source / "frames.npy")
    frames[TRAIN : TRAIN + len(ends)] = ends
    np.save(folder / "frames.npy", frames)
    return folder


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("tau", ["given", "truth"])
def test_padding_is_neither_signal_nor_background(backbone, tau, tmp_path, test_features):
    """Clips end after 17, 160 and 161 of 256 frames: 14, 6 and 5 of their 16 time columns are padding."""
    trace = traced(backbone, "topk")
    features = shortened(tmp_path / "features", [17, 160, 161])
    inputs = {name: data()[name] for name in ("audio", "clusters")} | {"trace": trace, "features": features}
    cell = made(tokens, tmp_path / "cell", TokensSettings(tau=tau), inputs)
    clips, stages = table(cell, "clips"), table(cell, "stages").set_index(["clip", "block"])
    assert clips["padding_input"].tolist()[:4] == [14 * 8, 6 * 8, 5 * 8, 0]
    columns = 16 - np.array([14, 6, 5, 0])  # of the clip itself
    order = [(t, f) for f in range(8) for t in range(16)] if backbone == "ast-tiny" else None
    order = order or [(t, f) for t in range(16) for f in range(8)]
    means = patch_mean(test_features).numpy()  # (n, 16, 8)
    extents = WaveformStore.open(data()["audio"]).clips["extents"].iloc[TRAIN:]
    truth = np.stack([signal_patches(json.loads(text), 256) for text in extents])
    bright = truth if tau == "truth" else means > np.float32(-0.1)
    low = means <= records.read(data()["clusters"])["results"]["edges"]["mean"][2]
    with np.load(trace / "trace.npz") as arrays:
        for i in range(4):
            inside = {(t, f) for t in range(columns[i]) for f in range(8)}
            every = {(t, f) for t in range(16) for f in range(8)}
            signal = {at for at in inside if bright[i][at]}
            for block in (3, 9):
                kept, own = {order[p] for p in arrays[f"kept_{block}"][i]}, stages.loc[(clips["clip"][i], block)]
                assert own["signal_input"] == len(signal)
                assert [own[f"{kind}_kept"] for kind in ("signal", "background", "padding")] == [
                    len(kept & signal), len(kept & inside - signal), len(kept - inside)
                ]  # fmt: skip
                shares = [own[f"{kind}_of_kept"] for kind in ("signal", "background", "padding")]
                assert sum(shares) == pytest.approx(1)
                assert shares[2] == pytest.approx(len(kept - inside) / len(kept))
                ends = {0: 1, 1: None, 2: 10, 3: 15}[i]  # the column that frames 17, 160, 161 and 254 end within
                assert own["cut_kept"] == len({at for at in kept if at[0] == ends})
                quiet = {at for at in every if low[i][at]}
                assert own["low_of_kept"] == pytest.approx(len(kept & quiet) / len(kept))  # as released
                assert own["low_inside_of_kept"] == pytest.approx(len(kept & quiet & inside) / len(kept))
                assert own["low_inside_input"] == len(quiet & inside)
    results = records.read(cell)["results"]["shares"]
    assert results["padding"] == pytest.approx((14 + 6 + 5) * 8 / (N * PATCHES))
    assert sum(results.values()) == pytest.approx(1)
    with np.load(cell / "occurrence.npz") as saved, np.load(trace / "trace.npz") as arrays:
        assert (saved["padding_input"], saved["tokens_input"]) == (25 * 8, N * PATCHES)
        behind = sum(order[p][0] >= columns[i] for i in range(4) for p in arrays["kept_9"][i])
        assert (saved["padding_after_9"], saved["tokens_after_9"]) == (behind, N * 16)
        assert saved["input"].sum() <= N * PATCHES - 25 * 8


def test_clusters_and_areas_tell_padding_apart(tmp_path, test_features):
    inputs = {"audio": data()["audio"], "features": shortened(tmp_path / "features", [17, 160, 161])}
    cell = made(clusters, tmp_path / "cell", ClustersSettings(dataset="mine", tau=-0.1, sample=N), inputs)
    found, areas = pd.read_csv(cell / "clusters.csv"), pd.read_csv(cell / "signal.csv")
    means, stds = patch_mean(test_features).numpy(), patch_std(test_features).numpy()  # (n, 16, 8)
    behind = np.zeros((N, 16, 8), dtype=bool)
    for i, first in enumerate((2, 10, 11)):
        behind[i, first:] = True
    for name, values in (("mean", means), ("std", stds)):
        own = found[found["statistic"] == name]
        between = own["upper"].to_numpy()[:-1]
        by_cluster = np.bincount((values[behind][:, None] > between).sum(axis=1), minlength=5)
        assert own["padding"].tolist() == by_cluster.tolist()
        assert own["padding"].sum() == 25 * 8
        assert own["patches"].sum() == N * PATCHES  # fitted on all patches, as released
    own = areas[(areas["tau"] == "given") & (areas["clips"] == "all")].set_index("unit")["share"]
    assert own["patches"] == pytest.approx(((means > np.float32(-0.1)) & ~behind).mean())
    assert own["padding"] == pytest.approx(behind.mean())
    assert own["patches"] + own["background"] + own["padding"] == pytest.approx(1)


def test_the_truth_is_the_generators(tmp_path):
    for backbone in BACKBONES:
        orientation = "freq" if backbone == "ast-tiny" else "time"
        trace = traced(backbone, "topk")
        cell = analysed(tmp_path / backbone, trace, tau="truth")
        extents = WaveformStore.open(data()["audio"]).clips["extents"].iloc[TRAIN:]
        truth = np.stack([signal_patches(json.loads(text), PATCHES * 2) for text in extents])  # (n, 16, 8)
        assert table(cell, "clips")["signal_input"].tolist() == truth.sum(axis=(1, 2)).tolist()
        with np.load(trace / "trace.npz") as arrays:
            marks = np.zeros((N, PATCHES))
            np.put_along_axis(marks, arrays["kept_6"].astype(int), 1, axis=1)
        kept = marks[:, token_index(orientation, 16, 8)] > 0  # (n, 16, 8)
        stages = table(cell, "stages")
        found = stages[stages["block"] == 6]["signal_kept"].tolist()
        assert found == (kept & truth).sum(axis=(1, 2)).tolist()


def test_wrong_labels_are_counted_as_labelled(tmp_path):
    trace, seen = traced("audiomae-tiny", "topk"), {}
    for label_map in ("right", "transposed", "shuffled"):
        cell = analysed(tmp_path / label_map, trace, label_map=label_map)
        seen[label_map] = table(cell, "stages")
        assert (cell / "audit.parquet").exists() == (label_map == "right")
    for label_map in ("transposed", "shuffled"):
        assert (seen[label_map]["signal_input"] == seen["right"]["signal_input"]).all()
        assert (seen[label_map]["signal_kept"] != seen["right"]["signal_kept"]).any()
        audited = pd.read_parquet(tmp_path / "right" / "cell" / "audit.parquet")
        own = audited[(audited["map"] == label_map) & (audited["selection"] == "model")].sort_values("stage")
        assert own["excess"].tolist() == pytest.approx(seen[label_map].groupby("stage")["excess"].mean().tolist())


def test_a_trace_whose_prefix_tokens_were_lost_is_analysed(tmp_path):
    trace = traced("ast-tiny", "variation", variant="as_released")
    cell = analysed(tmp_path, trace)
    with np.load(trace / "trace.npz") as arrays:
        assert (arrays["kept_3"] == -1).any()
        patches = [(arrays[f"entering_{block}"] >= 0).sum(axis=1) for block in range(12)]
        lost = (arrays["kept_6"] >= 0).sum(axis=1)
    blocks = table(cell, "blocks").pivot(index="clip", columns="block", values="entering")
    assert (blocks.loc[table(cell, "clips")["clip"]].to_numpy() == np.stack(patches, axis=1)).all()
    stages = table(cell, "stages")
    assert stages[stages["block"] == 6]["kept"].tolist() == lost.tolist()
    found = table(cell, "correlation")
    assert set(found[found["block"] > 3]["score"]) == {"global"}
    own = found[(found["block"] == 4) & (found["statistic"] == "mean") & (found["rank"] == "raw")]
    own = own.set_index("clip").loc[table(cell, "clips")["clip"]]
    assert own["total"].tolist() == [n * (n - 1) // 2 for n in patches[4]]


def test_the_same_cell_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        analysed(tmp_path / name, traced("audiomae-tiny", "topk"))
    assert records.listing(tmp_path / "one" / "cell") == records.listing(tmp_path / "two" / "cell")


def test_what_is_missing_is_named(tmp_path):
    inputs = {"audio": data()["audio"], "features": data()["features"]}
    without = made(clusters, tmp_path / "clusters", ClustersSettings(dataset="mine"), inputs)
    inputs |= {"trace": traced("audiomae-tiny", "topk"), "clusters": without}
    with pytest.raises(UserError, match="its dataset gives no tau; use tau: auto"):
        made(tokens, tmp_path / "x", TokensSettings(), inputs)
    made(tokens, tmp_path / "y", TokensSettings(tau="auto"), inputs)
