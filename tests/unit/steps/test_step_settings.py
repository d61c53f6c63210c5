"""What evaluating, tracing and discarding are told reaches the model: weights, kernel, precision, clips, seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

import tests.fakes.cells as _cells
from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.models.discard import Discard
from audioprune.settings.evaluation import DiscardSettings, EvaluateSettings, TraceSettings
from audioprune.settings.model import Pruning
from audioprune.steps import discard, evaluate, trace
from audioprune.steps._run import Job
from audioprune.tokens.trace import sample, trace_clips

HALF = Pruning(method="topk", keep_rate=0.5)
MEANS, STDS = [-2.0, -0.6, -0.2, 0.1, 0.4, 2.0], [0.0, 0.01, 0.02, 0.03, 0.04, 2.0]  # edges of C1 to C5


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> dict[str, Path]:
    """A model trained unpruned, with other weights as its best ones, and clusters whose statistics have other edges."""
    root = tmp_path_factory.mktemp("cells")
    cells = _cells.inputs(root / "cells", "ast-tiny", Pruning())
    weights = load_file(cells["finetune"] / "last.safetensors")
    save_file({name: 1.1 * value for name, value in weights.items()}, cells["finetune"] / "best_test.safetensors")
    (root / "clusters").mkdir()
    results = {"edges": {"std": STDS, "mean": MEANS}, "tau": {"auto": 0.0}}
    records.write_json(root / "clusters" / records.RECORD, {"settings": {}, "results": results})
    return cells | {"clusters": root / "clusters"}


def made(step, folder: Path, settings, cells: dict[str, Path]) -> Path:
    folder.mkdir()
    records.write_json(folder / records.RECORD, {"results": step(Job("x", "a", "k", settings, cells, folder, folder))})
    return folder


def scores(cells, folder: Path, **settings) -> np.ndarray:
    made(evaluate.evaluate, folder, EvaluateSettings(**{"pruning": HALF} | settings), cells)
    return np.stack(list(pd.read_parquet(folder / "predictions.parquet")["scores"]))


def model(selection: str, cells: dict[str, Path], **pruning) -> torch.nn.Module:
    made = _cells.model_of("ast-tiny", **pruning)
    made.load_state_dict(load_file(cells["finetune"] / f"{selection}.safetensors"))
    return made


def fbank(cells, rows=_cells.TEST) -> torch.Tensor:
    return FeatureStore.open(cells["features"]).fbank(np.array(rows))


@torch.no_grad()
def test_the_weights_are_those_of_the_selection(cells, tmp_path):
    found = {}
    for selection in ("last", "best_test"):
        net = model(selection, cells, method="topk", keep_rate=0.5)
        expected = net(fbank(cells)).numpy()
        found[selection] = scores(cells, tmp_path / selection, selection=selection)
        np.testing.assert_allclose(found[selection], expected, atol=1e-5)
        settings = TraceSettings(pruning=HALF, selection=selection)
        with np.load(made(trace.trace, tmp_path / f"trace-{selection}", settings, cells) / "trace.npz") as arrays:
            seen = trace_clips(net, _cells.TEST, FeatureStore.open(cells["features"]).fbank, device=torch.device("cpu"))
            np.testing.assert_allclose(arrays["norms"], seen["norms"], rtol=1e-4)
        settings = DiscardSettings(blocks=(0,), sets=("C1C2",), selection=selection)
        rows = pd.read_parquet(
            made(discard.discard, tmp_path / f"discard-{selection}", settings, cells) / "discarded.parquet"
        )
        whole = model(selection, cells)
        whole.pruning.pruner, whole.pruning.blocks, whole.keep_rate = Discard(-0.2, np.inf), frozenset({0}), 0.5
        right = whole(fbank(cells)).argmax(1).numpy() == np.array(_cells.TEST) % 3
        assert rows[~rows["control"]]["correct"].tolist() == right.tolist()
    assert np.abs(found["last"] - found["best_test"]).max() > 1e-2


@torch.no_grad()
def test_scores_are_in_the_precision_asked_for(cells, tmp_path):
    net = model("last", cells, method="topk", keep_rate=0.5)
    exact, near = scores(cells, tmp_path / "fp32"), scores(cells, tmp_path / "bf16", precision="bf16")
    np.testing.assert_allclose(exact, net(fbank(cells)).numpy(), atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        np.testing.assert_allclose(near, net(fbank(cells)).float().numpy(), atol=1e-5)
    assert np.abs(exact - near).max() > 1e-3


@pytest.mark.parametrize("step", ["evaluate", "discard"])
def test_the_eager_kernel_calls_no_fused_attention(cells, tmp_path, monkeypatch, step):
    def fused(*given, **named):
        raise AssertionError("fused")

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", fused)
    run, settings = {
        "evaluate": (evaluate.evaluate, EvaluateSettings),
        "discard": (discard.discard, DiscardSettings),
    }[step]
    made(run, tmp_path / "eager", settings(kernel="eager"), cells)
    with pytest.raises(AssertionError, match="fused"):
        made(run, tmp_path / "fused", settings(), cells)


@pytest.mark.parametrize("seed", [0, 3])
def test_a_sample_of_clips_is_that_of_its_seed(cells, tmp_path, seed):
    rows = sample(np.array(_cells.TEST), 3, seed).tolist()
    names = [f"c{row:02d}" for row in rows]
    traced = made(trace.trace, tmp_path / "trace", TraceSettings(clips=3, sample_seed=seed), cells)
    assert pd.read_parquet(traced / "clips.parquet")["clip"].tolist() == names
    settings = DiscardSettings(blocks=(2,), sets=("C4C5",), clips=3, sample_seed=seed)
    found = pd.read_parquet(made(discard.discard, tmp_path / "discard", settings, cells) / "discarded.parquet")
    assert found["clip"].tolist() == 2 * names


def test_the_samples_of_the_two_seeds_differ():
    assert sample(np.array(_cells.TEST), 3, 0).tolist() != sample(np.array(_cells.TEST), 3, 3).tolist()


@torch.no_grad()
@pytest.mark.parametrize("seed", [0, 5])
def test_discarding_goes_by_the_means_and_the_seed_of_its_control(cells, tmp_path, seed):
    settings = DiscardSettings(blocks=(1,), sets=("C1C2",), control_seed=seed)
    found = pd.read_parquet(made(discard.discard, tmp_path / "cell", settings, cells) / "discarded.parquet")
    net = model("last", cells)
    for control, own in found.groupby("control"):
        reducer = Discard(MEANS[2], np.inf, seed=seed if control else None)
        net.pruning.pruner, net.pruning.blocks, net.keep_rate = reducer, frozenset({1}), 0.5
        assert own["tokens_left"].tolist() == reducer.left(net.pixels(fbank(cells)), 1).sum(1).tolist()
        right = net(fbank(cells)).argmax(1).numpy() == np.array(_cells.TEST) % 3
        assert own["correct"].tolist() == right.tolist()


def test_a_trace_says_by_which_score_it_ranked(cells, tmp_path):
    own = {"method": "topk", "keep_rate": 0.5, "options": {"score": "global"}}
    for name, pruning, score in (("own", HALF, "cls"), ("other", Pruning(**own), "global")):
        cell = made(trace.trace, tmp_path / name, TraceSettings(pruning=pruning), cells)
        assert records.read(cell)["results"]["score"] == score
        with np.load(cell / "trace.npz") as arrays:
            ranked = np.argsort(-arrays[f"score_{score}_3"], axis=1, kind="stable")[:, :32]
            assert np.array_equal(arrays["kept_3"], ranked)
