"""Token traces: what the arrays hold, and the step that leaves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import write_store
from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.settings.data import AudioSettings, UserFolder
from audioprune.settings.evaluation import TraceSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, Recipe
from audioprune.steps._run import Job
from audioprune.steps.trace import trace as step
from audioprune.tokens.trace import sample, trace_clips

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def fbank() -> torch.Tensor:
    return torch.randn(7, 128, 128, generator=torch.Generator().manual_seed(0))


def traced(fbank: torch.Tensor, batch_size: int = 3, rows=range(7), **settings) -> dict[str, np.ndarray]:
    model = build_model("ast-tiny", frames=128, num_classes=3, **{"method": "topk", "keep_rate": 0.5} | settings)
    return trace_clips(model, list(rows), lambda batch: fbank[batch], device=CPU, batch_size=batch_size)


def test_shapes_and_types(fbank):
    arrays = traced(fbank)
    assert {key: value.shape for key, value in arrays.items() if key.startswith("kept")} == {
        "kept_3": (7, 32),
        "kept_6": (7, 16),
        "kept_9": (7, 8),
    }
    entering = [arrays[f"entering_{block}"].shape[1] for block in range(12)]
    assert entering == [64] * 4 + [32] * 3 + [16] * 3 + [8] * 2
    for block in range(12):
        for kind in ("global", "cls"):
            assert arrays[f"score_{kind}_{block}"].shape == (7, entering[block])
            assert arrays[f"score_{kind}_{block}"].dtype == np.float32
    assert arrays["kept_3"].dtype == arrays["entering_3"].dtype == np.int16
    assert arrays["norms"].shape == (7, 12)
    assert len(arrays) == 3 + 12 + 24 + 1


def test_kept_patches_are_the_highest_scores_and_enter_the_next_block(fbank):
    arrays = traced(fbank)
    assert (arrays["entering_0"] == np.arange(64)).all()
    for block in (3, 6, 9):
        order = np.argsort(-arrays[f"score_cls_{block}"], axis=1, kind="stable")  # AST selects by the class token
        ranked = np.take_along_axis(arrays[f"entering_{block}"], order, axis=1)
        kept = arrays[f"kept_{block}"]
        assert (ranked[:, : kept.shape[1]] == kept).all()
        assert (arrays[f"entering_{block + 1}"] == kept).all()
    totals = arrays["score_global_0"].sum(axis=1)  # what is missing from 1 goes to the two prefix tokens
    assert ((totals > 0.5) & (totals < 1)).all()


def test_rows_and_batches_do_not_change_a_clip(fbank):
    whole, other = traced(fbank), traced(fbank, batch_size=2, rows=[5, 0, 2])
    for key, values in other.items():
        if values.dtype == np.int16:
            assert (values == whole[key][[5, 0, 2]]).all()
        else:
            assert values == pytest.approx(whole[key][[5, 0, 2]], rel=1e-4)


def test_lost_prefix_tokens_are_marked(fbank):
    """The released gather looks up patch ranks in the whole sequence, two places too early."""
    fixed = traced(fbank, method="intensity")
    released = traced(fbank, method="intensity", options={"variant": "as_released"})
    shifted = fixed["kept_3"].astype(int) - 2
    assert (released["kept_3"] == np.where(shifted < 0, -1, shifted)).all()
    assert "score_cls_3" in released
    assert "score_cls_4" not in released


def test_norms_are_of_the_block_input_over_the_attention_branch(fbank):
    model = build_model("ast-tiny", frames=128, num_classes=3, method="none").eval()
    seen = {}
    model.blocks[2].register_forward_pre_hook(lambda module, inputs: seen.update(x=inputs[0]))
    model.blocks[2].attn.register_forward_hook(lambda module, inputs, output: seen.update(branch=output[0]))
    norms = trace_clips(model, [4], lambda batch: fbank[batch], device=CPU)["norms"]
    expected = (seen["x"].norm(dim=2) / seen["branch"].norm(dim=2)).mean()
    assert norms[0, 2] == pytest.approx(float(expected), rel=1e-5)


@given(st.integers(1, 50), st.integers(0, 60), st.integers(0, 5))
def test_a_sample_is_seeded_sorted_and_of_the_asked_size(n, clips, seed):
    rows = np.arange(100, 100 + n)
    chosen = sample(rows, clips, seed)
    assert len(chosen) == (n if clips == 0 else min(n, clips))
    assert (np.diff(chosen) > 0).all()
    assert set(chosen) <= set(rows)
    assert (chosen == sample(rows, clips, seed)).all()


def test_another_seed_samples_other_clips():
    rows = np.arange(1000)
    assert len(set(sample(rows, 64, 0)) & set(sample(rows, 64, 1))) < 20


def cell(folder: Path, settings) -> Path:
    folder.mkdir(parents=True)
    records.write_json(folder / records.RECORD, {"settings": settings.model_dump(mode="json")})
    return folder


PRUNING = Pruning(method="topk", keep_rate=0.5)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    """A dataset of 12 clips, 8 of them for testing, and a fine-tuned model whose weights are random."""
    folder = tmp_path_factory.mktemp("cells")
    user = UserFolder(folder="x", csv="x.csv", task="keyword", classes=("a", "b", "c"), frames=128)
    audio = cell(folder / "audio", AudioSettings(dataset="mine", user=user))
    rng = np.random.default_rng(0)
    rows = [
        {"clip": f"c{i:02d}", "labels": [i % 3], "split": "train" if i % 3 == 0 else "test", "recording": f"r{i // 2}"}
        for i in range(12)
    ]
    write_store(audio, [(row, rng.uniform(-0.1, 0.1, 400).astype(np.float32)) for row in rows])
    features = folder / "features"
    features.mkdir()
    np.save(features / "fbank.npy", rng.normal(-5, 4, (12, 128, 128)).astype(np.float32))
    np.save(features / "frames.npy", np.full(12, 128, dtype=np.int32))
    records.write_json(features / "stats.json", {"mean": -5.0, "std": 4.0})
    trained = FinetuneSettings(
        model=Model(backbone="audiomae-tiny"), dataset="mine", pruning=PRUNING, recipe=Recipe(epochs=1, batch_size=4)
    )
    finetune = cell(folder / "finetune", trained)
    save_file(build_model(frames=128, num_classes=3, seed=7).state_dict(), finetune / "last.safetensors")
    return {"audio": audio, "features": features, "finetune": finetune}


def made(inputs, out: Path, **settings) -> dict:
    out.mkdir()
    return step(Job("trace", "a", "k", TraceSettings(pruning=PRUNING, **settings), inputs, out, out))


def test_the_step_traces_the_stored_weights_on_the_test_clips(inputs, tmp_path):
    results = made(inputs, tmp_path / "all")
    clips = pd.read_parquet(tmp_path / "all" / "clips.parquet")
    assert clips["row"].tolist() == [1, 2, 4, 5, 7, 8, 10, 11]
    assert clips["clip"].tolist() == [f"c{row:02d}" for row in clips["row"]]
    assert [list(own) for own in clips["labels"]] == [[row % 3] for row in clips["row"]]
    model = build_model(frames=128, num_classes=3, seed=7, method="topk", keep_rate=0.5)
    expected = trace_clips(model, clips["row"].to_numpy(), FeatureStore.open(inputs["features"]).fbank, device=CPU)
    with np.load(tmp_path / "all" / "trace.npz") as saved:
        assert set(saved.files) == set(expected)
        for key, values in expected.items():
            assert saved[key] == pytest.approx(values, rel=1e-5)
    assert results["kept"] == {"3": 32, "6": 16, "9": 8}
    assert (results["clips"], results["test_clips"], results["orientation"]) == (8, 8, "time")


def test_a_sample_of_clips_and_an_unpruned_trace(inputs, tmp_path):
    results = made(inputs, tmp_path / "some", clips=3, sample_seed=1)
    rows = pd.read_parquet(tmp_path / "some" / "clips.parquet")["row"].tolist()
    assert rows == sample(np.array([1, 2, 4, 5, 7, 8, 10, 11]), 3, 1).tolist()
    assert (results["clips"], results["test_clips"]) == (3, 8)
    (tmp_path / "none").mkdir()
    job = Job("trace", "a", "k", TraceSettings(clips=2), inputs, tmp_path / "none", tmp_path)
    assert step(job)["kept"] == {}
    with np.load(tmp_path / "none" / "trace.npz") as saved:
        assert saved["entering_11"].tolist() == [list(range(64))] * 2


def test_the_same_cell_gives_the_same_bytes(inputs, tmp_path):
    for name in ("one", "two"):
        made(inputs, tmp_path / name, clips=4)
    assert records.listing(tmp_path / "one") == records.listing(tmp_path / "two")


def test_weights_that_were_not_stored_are_named(inputs, tmp_path):
    with pytest.raises(UserError, match=r"'best_val' was not stored by .*; it has last"):
        made(inputs, tmp_path / "x", selection="best_val")
