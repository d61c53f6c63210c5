"""Patches and the two token orders against closed forms: the project's single most dangerous spot."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audioprune.audio import patches as P
from audioprune.facts import mel, tokens


def test_patchify_is_slicing():
    x = torch.randn(2, 64, 128, generator=torch.Generator().manual_seed(0))
    cut = P.patchify(x)
    assert cut.shape == (2, 4, 8, 256)
    for t in range(4):
        for f in range(8):
            assert torch.equal(cut[1, t, f], x[1, 16 * t : 16 * t + 16, 16 * f : 16 * f + 16].flatten())


@pytest.mark.parametrize(("patch", "stride"), [(16, 10), (8, 8), (32, 16)])
def test_other_patches_and_strides(patch, stride):
    x = torch.arange(64 * 128, dtype=torch.float32).reshape(1, 64, 128)
    time, freq = tokens.grid(64, patch, stride)
    cut = P.patchify(x, patch, stride)
    assert cut.shape == (1, time, freq, patch * patch)
    t, f = (time - 1) * stride, (freq - 1) * stride
    assert torch.equal(cut[0, -1, -1], x[0, t : t + patch, f : f + patch].flatten())


def test_grid_counts():
    assert tokens.grid(512) == (32, 8)
    assert tokens.grid(1024) == (64, 8)
    assert tokens.grid(128) == (8, 8)
    assert tokens.grid(1024, 16, 10) == (101, 12)  # AST's stride-10 AudioSet model: 1212 patches
    with pytest.raises(ValueError, match="does not fit"):
        tokens.grid(8)


def test_patches_are_those_of_the_two_patch_embeddings():
    """A convolution as AudioMAE (1, T, 128) and AST (1, 128, T) apply it, row-major, sums the same patches."""
    x = torch.randn(1, 64, 128, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ones = torch.ones(1, 1, 16, 16, dtype=torch.float64)
    mae = torch.nn.functional.conv2d(x[:, None], ones, stride=16).flatten(2)[0, 0]
    ast = torch.nn.functional.conv2d(x.transpose(1, 2)[:, None], ones, stride=16).flatten(2)[0, 0]
    sums = P.patchify(x).sum(-1)
    assert torch.allclose(P.to_tokens(sums, "time")[0], mae)
    assert torch.allclose(P.to_tokens(sums, "freq")[0], ast)


def test_mean_and_unbiased_std():
    x = torch.randn(1, 32, 128, generator=torch.Generator().manual_seed(2))
    patch = x[0, 16:32, 48:64].numpy()
    assert P.patch_mean(x)[0, 1, 3].item() == pytest.approx(patch.mean(), abs=1e-6)
    assert P.patch_std(x)[0, 1, 3].item() == pytest.approx(patch.std(ddof=1), abs=1e-6)
    assert P.patch_std(x)[0, 1, 3].item() != pytest.approx(patch.std(), abs=1e-6)


def test_token_orders_in_closed_form():
    time, freq = 32, 8
    for i, (t, f) in enumerate(P.token_order("time", time, freq).tolist()):
        assert (t, f) == (i // 8, i % 8)
    for i, (t, f) in enumerate(P.token_order("freq", time, freq).tolist()):
        assert (f, t) == (i // 32, i % 32)


@given(st.sampled_from(["time", "freq"]), st.integers(1, 70), st.integers(1, 12))
def test_token_index_inverts_token_order(orientation, time, freq):
    order = P.token_order(orientation, time, freq)
    index = P.token_index(orientation, time, freq)
    assert torch.equal(index[order[:, 0], order[:, 1]], torch.arange(time * freq))
    assert sorted(index.flatten().tolist()) == list(range(time * freq))
    values = torch.arange(2 * time * freq * 3).reshape(2, time, freq, 3)
    assert torch.equal(P.to_tokens(values, orientation)[:, index], values)


def test_the_orientations_are_transposes():
    assert torch.equal(P.token_index("time", 32, 8), torch.arange(256).reshape(32, 8))
    assert torch.equal(P.token_index("freq", 32, 8), torch.arange(256).reshape(8, 32).T)


def test_unknown_orientation_is_refused():
    with pytest.raises(ValueError, match="AudioMAE"):
        P.token_order("rows", 2, 2)


def test_a_sound_is_loud_in_the_patch_that_hears_it():
    """Patch (2, 5): frames 32 to 47, 25 ms each, and triangles 80 to 95, which end at edge 97."""
    from audioprune.audio.fbank import log_mel

    start, end = 0.32, 0.47 + 0.025
    low, high = (mel.hertz(mel.MEL_LOW + edge * mel.MEL_STEP) for edge in (80, 97))
    rng = np.random.default_rng(0)
    waveform = rng.standard_normal(12000) * 1e-4
    inside = slice(int((start + 0.025) * 16000), int((end - 0.025) * 16000))
    time = np.arange(12000) / 16000
    waveform[inside] += 0.3 * np.sin(2 * np.pi * (low + high) / 2 * time[inside])
    x, _ = log_mel(torch.from_numpy(waveform).float()[None], None, 64)
    mean = P.patch_mean(x)[0]
    assert divmod(int(mean.argmax()), 8) == (2, 5)
