"""Signal, background and padding: which patch is which, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.tokens.kinds import cut, padding, shares
from audioprune.tokens.retention import composition, low_intensity, retention

FRAMES = np.array([64, 49, 48, 33, 32, 1])  # of clips that are given 64


def test_a_patch_is_padding_when_all_its_frames_are_behind_the_end():
    """Columns begin at frames 0, 16, 32 and 48; the one that the end cuts through is not padding."""
    found = padding(FRAMES, orientation="time", time=4, freq=2)  # patches 0 and 1 are of the first column
    assert found.astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],  # one frame of the last column is the clip's
        [0, 0, 0, 0, 0, 0, 1, 1],
        [0, 0, 0, 0, 0, 0, 1, 1],
        [0, 0, 0, 0, 1, 1, 1, 1],
        [0, 0, 1, 1, 1, 1, 1, 1],
    ]
    other = padding(FRAMES[4:], orientation="freq", time=4, freq=2)
    assert other.astype(int).tolist() == [[0, 0, 1, 1, 0, 0, 1, 1], [0, 1, 1, 1, 0, 1, 1, 1]]


def test_the_end_cuts_through_patches_that_begin_before_it_and_end_behind():
    found = cut(FRAMES, orientation="time", time=4, freq=1)
    assert found.astype(int).tolist() == [
        [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]
    ]  # fmt: skip
    overlapping = cut(np.array([30]), orientation="freq", time=5, freq=1, stride=10)  # 10-25, 20-35 and 30-45 frames
    assert overlapping.astype(int).tolist() == [[0, 0, 1, 0, 0]]


def test_overlapping_patches_begin_with_the_stride():
    """Columns of 16 frames begin at 0, 10, 20, 30 and 40."""
    found = padding(np.array([30, 31]), orientation="time", time=5, freq=1, stride=10)
    assert found.astype(int).tolist() == [[0, 0, 0, 1, 1], [0, 0, 0, 0, 1]]


def test_a_clip_longer_than_the_input_has_no_padding():
    assert not padding(np.array([640]), orientation="time", time=4, freq=2).any()


SIGNAL = np.array([[1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]], dtype=bool)
PADDING = np.array([[0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0]], dtype=bool)
CUT = np.array([[0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]], dtype=bool)
KEPT = np.array([[0, 2, 5, 6], [7, 3, 1, -1]])  # -1: a prefix token, no patch


def test_shares_of_all_patches():
    assert shares(SIGNAL, PADDING) == {"signal": 2 / 16, "background": 11 / 16, "padding": 3 / 16}


def test_what_is_kept_is_of_three_kinds():
    found = composition(SIGNAL, PADDING, CUT, KEPT)
    counts = [found[f"{kind}_kept"].tolist() for kind in ("signal", "background", "padding")]
    assert counts == [[1, 0], [1, 3], [2, 0]]
    assert found["padding_input"].tolist() == [3, 0]
    assert found["padding_of_kept"].tolist() == [2 / 4, 0]
    assert found["cut_of_kept"].tolist() == [0, 1 / 3]
    assert found["background_of_kept"].tolist() == [1 / 4, 1]  # the prefix token is not counted


def test_low_intensity_with_padding_and_without():
    """C1 and C2 are patches 3, 4 and the padding 5, 6, 7 of the first clip, and 3 of the second."""
    levels = np.array([[4, 3, 2, 1, 0, 0, 0, 0], [2, 2, 2, 0, 2, 2, 2, 4]])
    found = low_intensity(levels, PADDING, KEPT)
    assert found["low_input"].tolist() == [5, 1]
    assert found["low_inside_input"].tolist() == [2, 1]
    assert found["low_of_kept"].tolist() == [2 / 4, 1 / 3]
    assert found["low_inside_of_kept"].tolist() == [0, 1 / 3]
    assert found["low_of_input"].tolist() == [2 / 5, 1]
    assert found["low_inside_of_input"].tolist() == [0, 1]


def test_ratio_a_of_a_blind_selection():
    """8 patches, 2 of them signal: of 6 that enter and 3 that stay, blind ratio A is 2 / 8 x 3 / 6."""
    entering, kept = np.array([[0, 1, 2, 3, 4, 5]]), np.array([[0, 2, 5]])
    found = retention(SIGNAL[:1], entering, kept)
    assert found["blind_a"].tolist() == [2 / 8 * 3 / 6]
    assert found["excess_a"].tolist() == [1 / 6 - 2 / 8 * 3 / 6]


def test_blind_ratio_a_is_what_blind_selections_have_on_average():
    rng, signal = np.random.default_rng(0), np.arange(64)[None] < 20
    entering = np.stack([rng.permutation(64)[:45] for _ in range(20000)])  # already pruned once, blindly
    kept = entering[:, :32]
    found = retention(np.repeat(signal, 20000, axis=0), entering, kept)
    assert found["ratio_a"].mean() == pytest.approx(20 / 64 * 32 / 45, abs=4 * found["ratio_a"].std() / 20000**0.5)
    assert found["blind_a"][0] == pytest.approx(20 / 64 * 32 / 45)
