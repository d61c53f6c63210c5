"""The mel scale and frame geometry against closed forms."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.facts import mel


@given(st.floats(0, 8000))
def test_hertz_inverts_mel(hz):
    assert mel.hertz(mel.mel(hz)) == pytest.approx(hz, abs=1e-8)


def test_mel_scale_values():
    assert mel.mel(0.0) == 0
    assert mel.mel(700.0) == pytest.approx(1127 * math.log(2))


def test_edges_span_20_hz_to_8_khz_in_equal_mel_steps():
    edges = [mel.edge_hz(i) for i in range(130)]
    assert edges[0] == pytest.approx(20)
    assert edges[-1] == pytest.approx(8000)
    steps = [mel.mel(b) - mel.mel(a) for a, b in pairwise(edges)]
    assert steps == pytest.approx([steps[0]] * 129)


def test_band_is_two_steps_around_the_centre():
    assert mel.band_hz(0) == (mel.edge_hz(0), mel.edge_hz(2))
    assert mel.centre_hz(0) == mel.edge_hz(1)
    assert mel.band_hz(127)[1] == pytest.approx(8000)


@pytest.mark.parametrize("wrong", [-1, 128])
def test_bins_outside_are_refused(wrong):
    with pytest.raises(ValueError, match="0 to 127"):
        mel.band_hz(wrong)


def test_frames_lie_10_ms_apart_and_last_25_ms():
    assert mel.frame_seconds(0) == (0.0, 0.025)
    assert mel.frame_seconds(3) == pytest.approx((0.03, 0.055))


@pytest.mark.parametrize(
    ("samples", "frames"), [(1, 1), (399, 1), (400, 1), (559, 1), (560, 2), (16000, 98), (80000, 498), (160000, 998)]
)
def test_natural_frame_counts(samples, frames):
    assert mel.frame_count(samples) == frames
