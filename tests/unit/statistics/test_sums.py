"""Sums of many columns in the draws of the bootstrap: each as the bootstrap of one column gives it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audioprune.statistics.bootstrap import draw
from audioprune.statistics.sums import draw_sums
from audioprune.statistics.units import Unit


def table(seeds: int, parts: str = "") -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        {"clip": f"c{i}", "recording": f"r{i // 2}{parts}{f'r{i % 3 + 20}' if parts else ''}", "seed": s}
        for s in range(seeds)
        for i in range(14)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(numerator=rng.normal(2, 1, len(frame)), denominator=rng.integers(0, 2, len(frame)))


@pytest.mark.parametrize(("seeds", "parts"), [(1, ""), (3, ""), (2, "+")])
def test_quotients_of_sums_are_those_of_the_bootstrap(seeds, parts):
    frame, unit = table(seeds, parts), Unit(parts=parts)
    one = draw(frame, "ratio", unit=unit, draws=150, seed=0)
    found = draw_sums(frame, frame[["denominator", "numerator"]].to_numpy(), unit=unit, draws=150, seed=0)
    assert found.design == one.design
    assert found.values[1] / found.values[0] == pytest.approx(one.value)
    below = found.draws[:, 0]
    expected = np.where(below > 0, found.draws[:, 1] / np.where(below > 0, below, 1), np.nan)
    np.testing.assert_allclose(expected, one.draws)


def test_sums_over_everything():
    frame = table(1)
    found = draw_sums(frame, np.stack([np.ones(14), np.arange(14)], axis=1), draws=20)
    assert found.values.tolist() == [14, 91]
    assert found.draws.shape == (20, 2)
    assert (found.draws[:, 0] == 14).all()  # recordings of equally many clips
