"""Non-inferiority: closed forms, the paper's numbers, and the n that settles it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from audioprune.published import load
from audioprune.statistics.bootstrap import ONE_SEED, Design, Drawn
from audioprune.statistics.noninferiority import least_upper_bound, non_inferiority, published


def drawn(value: float, spread: float, clips: int = 2000, seeds: int = 3) -> Drawn:
    """Draws at the quantiles of a normal distribution."""
    draws = value + spread * norm.ppf((np.arange(4000) + 0.5) / 4000)
    return Drawn(value, draws, Design(clips, clips // 4, seeds, 4000, 0, ""))


@pytest.mark.parametrize(
    ("value", "spread", "verdict"),
    [(0.5, 0.25, "non-inferior"), (0.5, 0.35, "inconclusive"), (1.5, 0.35, "inconclusive"), (1.5, 0.25, "inferior")],
)
def test_verdicts(value, spread, verdict):
    found = non_inferiority(drawn(value, spread), 1.0)
    assert found.verdict == verdict
    assert (found.low, found.high) == pytest.approx((value - 1.645 * spread, value + 1.645 * spread), abs=0.005)
    assert (found.estimate, found.clips, found.clusters, found.seeds) == (value, 2000, 500, 3)
    assert (found.clips_needed is None) == (verdict != "inconclusive")


def test_the_clips_that_would_settle_it():
    """1.645 x 0.4 is 0.658 from the drop, and 0.4 is wanted: (0.658 / 0.4)^2 as many clips; with them it is settled."""
    found = non_inferiority(drawn(0.6, 0.4), 1.0)
    assert found.clips_needed == pytest.approx(2000 * (1.6449 * 0.4 / 0.4) ** 2, rel=0.005)
    more = drawn(0.6, 0.4 * np.sqrt(2000 / (found.clips_needed * 1.01)), found.clips_needed)
    assert non_inferiority(more, 1.0).verdict == "non-inferior"
    fewer = drawn(0.6, 0.4 * np.sqrt(2000 / (found.clips_needed * 0.97)), found.clips_needed)
    assert non_inferiority(fewer, 1.0).verdict == "inconclusive"
    assert non_inferiority(drawn(1.0, 0.4), 1.0).clips_needed is None  # a drop of just the margin: no number would do


def test_the_published_drop_on_esc50():
    """paper.md 7: 0.80 points at n = 2 000, the upper bound is at least 1.13 however well the errors agree."""
    assert least_upper_bound(0.80, 2000) == pytest.approx(1.13, abs=0.005)
    assert least_upper_bound(0.80, 2000) == pytest.approx(
        0.8 + 1.644854 * 100 * np.sqrt(0.008 * 0.992 / 2000), rel=1e-6
    )


def test_the_least_upper_bound_is_that_of_agreeing_errors():
    """16 of 2 000 clips more are wrong: the standard error of those differences."""
    difference = np.zeros(2000)
    difference[:16] = 100
    assert least_upper_bound(0.8, 2000) == pytest.approx(0.8 + norm.ppf(0.95) * difference.std() / np.sqrt(2000))


def test_published_verdicts_of_p0():
    """Keep-rate 0.7 of P0 Table 1 (paper.md 7): SPC-2 and VoxCeleb-1 hold however the errors fall, ESC-50 is open."""
    table = load("table1")
    table = table[table["metric"] == "top1"].set_index(["dataset", "keep_rate"])["value"]
    clips = {"spc2": 11_005, "esc50": 2_000, "voxceleb1": 8_251}
    found = {name: published(table[name, 1.0], table[name, 0.7], n) for name, n in clips.items()}
    assert {name: one.verdict for name, one in found.items()} == {
        "spc2": "non-inferior", "esc50": "inconclusive", "voxceleb1": "non-inferior",
    }  # fmt: skip
    assert found["esc50"].note == f"upper bound from 1.13 (errors agree) to 2.08 (never agree) points; {ONE_SEED}"
    assert found["esc50"].clips_needed == 5368
    assert least_upper_bound(0.8, 5368) < 1 <= least_upper_bound(0.8, 5367)
    assert published(table["voxceleb1", 1.0], table["voxceleb1", 0.5], 8_251).verdict == "inferior"


def test_the_widest_bound_is_that_of_errors_that_never_agree():
    """60 clips wrong unpruned, 76 others wrong pruned, of 2 000."""
    difference = np.zeros(2000)
    difference[:60], difference[60:136] = -100, 100
    found = published(97.0, 96.2, 2000)
    assert found.high == pytest.approx(0.8 + norm.ppf(0.95) * difference.std() / np.sqrt(2000))
    assert found.low == pytest.approx(0.8 - norm.ppf(0.95) * difference.std() / np.sqrt(2000))
