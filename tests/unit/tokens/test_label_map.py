"""Right, transposed and shuffled labels, and the order of patch statistics."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audioprune.audio.patches import patch_mean, patch_std, to_tokens
from audioprune.errors import UserError
from audioprune.tokens.label_map import label_index, relabel
from audioprune.tokens.patch_statistics import BATCH, patch_statistics

GRID = {"time": 4, "freq": 8}


@pytest.mark.parametrize(("orientation", "other"), [("time", "freq"), ("freq", "time")])
def test_transposed_labels_are_those_of_the_other_familys_order(orientation, other):
    values = torch.arange(2 * 32).reshape(2, 4, 8)  # (n, time, freq)
    own, wrong = to_tokens(values, orientation).numpy(), to_tokens(values, other).numpy()
    index = label_index("transposed", range(2), orientation=orientation, **GRID)
    assert (relabel(own, index) == wrong).all()
    assert (relabel(own, index) != own).sum() == 2 * 30  # only the first and the last token of a clip stay in place
    right = label_index("right", range(2), orientation=orientation, **GRID)
    assert (relabel(own, right) == own).all()


def test_a_shuffle_belongs_to_its_clip_and_seed():
    index = label_index("shuffled", [3, 9, 5], orientation="time", **GRID, seed=1)
    assert (np.sort(index, axis=1) == np.arange(32)).all()
    assert (index[1] == label_index("shuffled", [9], orientation="time", **GRID, seed=1)[0]).all()
    assert (index != label_index("shuffled", [3, 9, 5], orientation="time", **GRID, seed=2)).any(axis=1).all()
    assert (index[0] != index[1]).any()


def test_an_unknown_map_or_orientation_is_named():
    with pytest.raises(UserError, match="did you mean 'transposed'"):
        label_index("transpose", [0], orientation="time", **GRID)
    with pytest.raises(ValueError, match="not 'mel'"):
        label_index("right", [0], orientation="mel", **GRID)


@pytest.mark.parametrize("orientation", ["time", "freq"])
def test_statistics_by_hand_and_in_batches(orientation):
    n = BATCH + 3
    x = torch.randn(n, 64, 128, generator=torch.Generator().manual_seed(0))
    found = patch_statistics(range(n), lambda rows: x[list(rows)], orientation=orientation)
    assert found.mean == pytest.approx(to_tokens(patch_mean(x), orientation).numpy(), abs=1e-6)
    assert found.std == pytest.approx(to_tokens(patch_std(x), orientation).numpy(), abs=1e-6)
    time, freq = (2, 5) if orientation == "time" else (1, 5)
    token = time * 8 + freq if orientation == "time" else freq * 4 + time
    pixels = x[7, 16 * time : 16 * time + 16, 80:96].double().numpy()
    assert found.mean[7, token] == pytest.approx(pixels.mean(), abs=1e-6)
    assert found.std[7, token] == pytest.approx(pixels.std(ddof=1), abs=1e-6)
