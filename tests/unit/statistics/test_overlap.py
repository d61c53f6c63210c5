import numpy as np
import pytest

from audioprune.statistics.overlap import beyond_chance, expected_jaccard


@pytest.mark.parametrize(("n", "kept", "by_chance"), [(64, 32, 0.3357), (256, 128, 0.3339), (256, 180, 0.5425)])
def test_the_agreement_of_independent_choices(n, kept, by_chance):
    assert expected_jaccard(n, kept) == pytest.approx(by_chance, abs=5e-5)


def test_by_hand_and_by_simulation():
    """Of three things two are kept: equal in one case of three, one in common in two."""
    assert expected_jaccard(3, 2) == pytest.approx(1 / 3 + 2 / 3 * 1 / 3)
    assert expected_jaccard(5, 5) == 1
    rng = np.random.default_rng(0)
    pairs = [(set(rng.permutation(12)[:5]), set(rng.permutation(12)[:5])) for _ in range(20000)]
    assert np.mean([len(a & b) / len(a | b) for a, b in pairs]) == pytest.approx(expected_jaccard(12, 5), abs=0.005)


def test_beyond_chance():
    assert beyond_chance(1.0, 64, 32) == 1
    assert beyond_chance(expected_jaccard(64, 32), 64, 32) == 0
    assert np.isnan(beyond_chance(1.0, 4, 4))
    with pytest.raises(ValueError, match="0 of 4"):
        expected_jaccard(4, 0)
