"""Small analyses of tokens: overlap, occurrence, pixels, and patch numbers brought to tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.tokens.held import count, held, membership, rectangles
from audioprune.tokens.occurrence import bin_edges, log_density, occurrence
from audioprune.tokens.overlap import jaccard
from audioprune.tokens.pixels import pixel_histogram, pixel_range, pixels_above


def test_held_values_and_prefix_tokens():
    values, patch_ids = np.array([[5, 6, 7], [8, 9, 10]]), np.array([[2, -1], [0, 1]], dtype=np.int16)
    assert held(values, patch_ids).tolist() == [[7, 0], [8, 9]]
    assert count(values > 6, patch_ids).tolist() == [1, 2]
    assert membership(patch_ids, 3).tolist() == [[False, False, True], [True, True, False]]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=4, max_size=4), min_size=1, max_size=6))
def test_rectangles_hold_every_patch_once_and_no_extra_token(rows):
    patch_ids, found = np.array(rows), {}
    for clips, columns in rectangles(patch_ids):
        for clip, own in zip(clips.tolist(), columns, strict=True):
            assert clip not in found
            found[clip] = patch_ids[clip][own].tolist()
    assert [found[i] for i in range(len(rows))] == [[v for v in row if v >= 0] for row in rows]


@settings(deadline=None)
@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_jaccard_is_that_of_sets(a, b):
    found = jaccard(np.array([[*a]], dtype=int), np.array([[*b, -1]], dtype=int), 10)
    expected = len(a & b) / len(a | b) if a | b else float("nan")
    assert found.tolist() == pytest.approx([expected], nan_ok=True)


def test_occurrence_by_hand():
    edges = bin_edges((0.0, 2.0), (1.0, 5.0))
    assert edges[0][[0, 1, -1]] == pytest.approx([0, 0.1, 2])
    assert edges[1][[0, 1, -1]] == pytest.approx([0, 0.2, 4])  # 1 + 0.75 x (5 - 1)
    mean, std = np.array([[0.05, 0.05, 1.95], [2.0, 1.0, 0.0]]), np.array([[0.1, 0.1, 3.9], [4.0, 4.5, 0.0]])
    counts = occurrence(mean, std, edges)
    assert {(i, j): int(counts[i, j]) for i, j in np.argwhere(counts)} == {(0, 0): 3, (19, 19): 2}  # 4.5 is beyond
    survivors = occurrence(mean, std, edges, np.array([[True, False, False], [True, True, False]]))
    assert {(i, j): int(survivors[i, j]) for i, j in np.argwhere(survivors)} == {(0, 0): 1, (19, 19): 1}
    density = np.expm1(log_density(counts, edges))
    assert (density * 0.1 * 0.2).sum() == pytest.approx(1)
    assert density[0, 0] == pytest.approx(3 / 5 / 0.02)
    assert (log_density(np.zeros((20, 20)), edges) == 0).all()


def test_pixels():
    x = torch.zeros(300, 16, 128)
    x[7, 3, 5], x[299, 0, 0] = -2.0, 4.0
    x[10, :8] = 1.0

    def fbank(rows):
        return x[list(rows)]

    assert pixel_range(range(300), fbank) == (-2.0, 4.0)
    counts = pixel_histogram(range(300), fbank, np.array([-2.0, -1.0, 0.5, 4.0]))
    assert counts.tolist() == [1, 300 * 2048 - 1 - 1 - 1024, 1024 + 1]
    above = pixels_above(range(300), fbank, [0.0, -1.0])
    assert above.shape == (300, 2)
    assert above[10].tolist() == [0.5, 1.0]
    assert above[299].tolist() == [1 / 2048, 1.0]
    assert above[7].tolist() == [0.0, 2047 / 2048]
