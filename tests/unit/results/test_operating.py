"""Operating points and what is claimed of them: by made accuracies and speeds, with the rule of the choice by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge
from audioprune.profiling.batchings import Arm
from audioprune.results import operating
from audioprune.results.estimate import Absent
from tests.fakes.lengths import SPEEDS, heard

CLAIMS = {claim.name: claim for claim in load()}


def point(batching: str, rate: float, speed: float, keeps: bool) -> SimpleNamespace:
    return SimpleNamespace(arm=Arm(batching, "topk", rate), speed=SimpleNamespace(value=speed), keeps=keeps)


def test_the_fastest_that_keeps_accuracy():
    slow, fast = point("padded", 1.0, 10, True), point("bucketed", 0.7, 30, True)
    lossy = point("bucketed", 0.5, 50, False)
    assert operating.fastest([slow, lossy, fast]) is fast
    tie = point("single", 1.0, 30, True)
    assert operating.fastest([slow, fast, tie]) is tie  # keeps more tokens
    nothing = operating.fastest([lossy])
    assert isinstance(nothing, Absent)
    assert nothing.why == "of no point is a loss of 1 point excluded"


def test_points_take_the_accuracy_of_their_batching(tmp_path):
    (one,) = operating.every(heard(tmp_path))
    found = {point.arm[::2]: point for point in one.points}
    assert {key: point.accuracy.value for key, point in found.items()} == {
        ("single", 1.0): 80, ("padded", 1.0): 90, ("bucketed", 1.0): 80,
        ("single", 0.5): 82, ("padded", 0.5): 80, ("bucketed", 0.5): 82,
    }  # fmt: skip
    assert {key: point.speed.value for key, point in found.items()} == pytest.approx(SPEEDS)
    assert found["padded", 0.5].drop.value == pytest.approx(10)
    assert [key for key, point in found.items() if point.keeps] == [("padded", 1.0)]
    assert one.chosen is found["padded", 1.0]


BETTER = {"none": (50, 90), "topk": (50, 95), "intensity": (50, 50)}  # native clips do better than padded ones


def test_without_loss_the_fastest_point_is_taken(tmp_path):
    (one,) = operating.every(heard(tmp_path, right=BETTER))
    assert one.chosen.arm == Arm("bucketed", "topk", 0.5)


@pytest.mark.parametrize(("speed", "verdict"), [(90.0, "supported"), (30.0, "refuted"), (50.0, "inconclusive")])
def test_whether_pruning_pays_without_padding(tmp_path, speed, verdict):
    """Against 50 s of sound a second unpruned in buckets; as fast is neither."""
    found = judge(CLAIMS["RQ2-d"], heard(tmp_path, speeds=SPEEDS | {("bucketed", 0.5): speed}))
    assert found.verdict == verdict
    (part,) = found.parts
    assert part.value == pytest.approx(speed / 50)
    assert "2.00 [2.00, 2.00] with it" in part.evidence  # padded: 40 against 20


def test_at_the_fastest_point(tmp_path):
    found = judge(CLAIMS["RQ2-c"], heard(tmp_path / "a"))
    assert found.verdict == "refuted"
    assert "the fastest point that keeps accuracy does not prune: padded, keep-rate 1" in found.parts[0].evidence
    found = judge(CLAIMS["RQ2-c"], heard(tmp_path / "b", right=BETTER))
    assert found.verdict == "not-run"
    assert "fastest is bucketed, keep-rate 0.5" in found.parts[0].evidence
    assert "it was not asked about noise" in found.parts[0].evidence
