"""Agreement and drift of a made selection, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.results import kept_noise
from tests.fakes.noise import NONE, Asked, other, shares, table, topk


def of(asked: Asked, block: int, kind: str, level: float):
    (found,) = (o for o in kept_noise.kept(asked.results) if (o.block, o.condition) == (block, (kind, level)))
    return found


def test_agreement_falls_as_patches_are_exchanged(tmp_path):
    """Of 32 kept patches one is exchanged at 20 dB and three at 0 dB: 31 of 33 and 29 of 35 are shared."""
    asked = Asked(tmp_path)
    asked.model(shares(0.9, 0.8), topk(0.5))
    for level, moved in ((20.0, 1), (0.0, 3)):
        found = of(asked, 3, "white", level)
        assert found.kept == 32
        assert found.overlap.value == pytest.approx((32 - moved) / (32 + moved))
        assert found.beyond == pytest.approx((found.overlap.value - 0.3357) / (1 - 0.3357), abs=2e-4)
        assert found.on_signal.value == pytest.approx(0.75 - 0.05 * moved - 0.5, abs=1e-6)
        assert found.clean_on_signal.value == pytest.approx(0.25)
        assert found.drift.value == pytest.approx(-0.05 * moved, abs=1e-6)
        assert found.skipped == 0
    assert {one.block for one in kept_noise.kept(asked.results)} == {3, 6, 9}
    assert {one.condition[0] for one in kept_noise.kept(asked.results)} == {"white", "babble", "other"}


def test_models_that_keep_all_or_merge_have_none(tmp_path):
    asked = Asked(tmp_path)
    asked.model(shares(0.9, 0.8))
    asked.model(shares(0.9, 0.8), other("tome"), NONE)
    asked.model(shares(0.9, 0.8), topk(0.5), made=False)
    assert kept_noise.kept(asked.results) == []


def test_clips_of_signal_or_of_noise_alone_are_skipped(tmp_path, monkeypatch):
    """Every fourth clip is all signal: the others' mean stands, and theirs alone."""
    from tests.fakes import noise

    def some(*args, **more):
        frame = table(*args, **more)
        number = frame["clip"].str[-3:].astype(int)
        frame.loc[number % 4 == 0, "all_signal"] = np.where(frame.loc[number % 4 == 0, "kind"] == "white", 1.0, np.nan)
        return frame

    monkeypatch.setattr(noise, "table", some)
    asked = Asked(tmp_path)
    asked.model(shares(0.9, 0.8), topk(0.5))
    found = of(asked, 3, "white", 0.0)
    assert found.skipped == 25
    assert found.drift.value == pytest.approx(-0.15, abs=1e-6)
    assert found.drift.n == 100
