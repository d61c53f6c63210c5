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


def correlation(folder, noisy) -> float | None:
    asked = Asked(folder, kinds=("white", "babble"))
    asked.model(shares(0.9, noisy), topk(0.5))
    found = [one for one in kept_noise.kept(asked.results) if one.block == 3]
    return kept_noise.with_loss(asked.results, found)


def test_the_rank_correlation_is_spearman_s_of_agreement_and_loss(tmp_path):
    """Agreement falls with the level alone, so that kinds tie; losses are in another order. By scipy."""
    from scipy.stats import spearmanr

    noisy = {("white", 20.0): 0.8, ("white", 10.0): 0.5, ("white", 0.0): 0.2}
    noisy |= {("babble", 20.0): 0.6, ("babble", 10.0): 0.7, ("babble", 0.0): 0.4}
    agreement = [{20.0: 31 / 33, 10.0: 30 / 34, 0.0: 29 / 35}[level] for _, level in noisy]
    expected = spearmanr(agreement, [0.9 - share for share in noisy.values()]).statistic
    assert correlation(tmp_path, noisy) == pytest.approx(expected)
    assert expected == pytest.approx(-0.8367, abs=1e-4)  # of ranks 6 4 2 against 1 4 6, and 6 4 2 against 3 2 5


def test_there_is_none_where_nothing_is_lost_or_conditions_are_few(tmp_path):
    assert correlation(tmp_path / "flat", 0.8) is None
    asked = Asked(tmp_path / "few", kinds=("white",))
    asked.model(shares(0.9, {("white", 20.0): 0.8, ("white", 10.0): 0.5, ("white", 0.0): 0.2}), topk(0.5))
    assert kept_noise.with_loss(asked.results, [o for o in kept_noise.kept(asked.results) if o.block == 3]) is None
