"""The mel scale against closed forms."""

from __future__ import annotations

import math

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


def test_the_edges_of_128_triangles_span_20_hz_to_8_khz():
    assert mel.hertz(mel.MEL_LOW) == pytest.approx(20)
    assert mel.hertz(mel.MEL_LOW + 129 * mel.MEL_STEP) == pytest.approx(8000)
