"""Token traces: what the arrays hold, and the step that leaves them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audioprune.backbones._build import build_model
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
    totals = arrays["score_global_0"].sum(axis=1)  # what is missing from 1 goes to the two extra tokens
    assert ((totals > 0.5) & (totals < 1)).all()


def test_rows_and_batches_do_not_change_a_clip(fbank):
    whole, other = traced(fbank), traced(fbank, batch_size=2, rows=[5, 0, 2])
    for key, values in other.items():
        if values.dtype == np.int16:
            assert (values == whole[key][[5, 0, 2]]).all()
        else:
            assert values == pytest.approx(whole[key][[5, 0, 2]], rel=1e-4)


def test_lost_extra_tokens_are_marked(fbank):
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
