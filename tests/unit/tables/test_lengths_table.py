"""The table of padded and native lengths, by hand from a hundred clips whose answers are given."""

from __future__ import annotations

import pytest

from audioprune.results import lengths
from audioprune.tables.lengths import build
from tests.fakes.lengths import heard
from tests.fakes.lengths import lengths as made


def rows() -> dict[str, dict]:
    return {row.cells["model"]: row.cells for row in build(made()).rows}


def test_accuracies_and_their_paired_difference():
    found = rows()
    assert [*found] == ["unpruned", "topk", "intensity, off the shelf"]
    assert {name: (own["padded"].value, own["native"].value) for name, own in found.items()} == {
        "unpruned": (90, 80), "topk": (80, 82), "intensity, off the shelf": (70, 70),
    }  # fmt: skip
    difference = found["unpruned"]["native_minus_padded"]
    assert difference.value == pytest.approx(-10)
    assert (difference.only_first, difference.only_second) == (0, 10)  # ten clips only the padded model gets right
    assert difference.low < -4 and difference.high < 0  # noqa: PT018
    assert difference.low > -20
    assert difference.p < 0.01
    none = found["intensity, off the shelf"]["native_minus_padded"]
    assert none.value == 0
    assert none.low < 0 < none.high  # no width of zero


def test_what_becomes_of_the_padding():
    """Of 32 patches 8 are padding; 16, 8 and 4 stay, of them 6, 3 and 0 padding by topk."""
    found = rows()["topk"]
    assert found["padding"] == 25
    assert [found[f"padding_pruned_{i}"] for i in (1, 2, 3)] == [25, 50, 100]
    assert [found[f"by_chance_{i}"] for i in (1, 2, 3)] == [50, 50, 50]
    assert (found["padding_pruned"], found["by_chance"]) == ("25, 50, 100", "50, 50, 50")
    intensity = rows()["intensity, off the shelf"]
    assert intensity["padding_pruned"] == "100, –, –"
    assert "padding_pruned" not in rows()["unpruned"]


def test_what_is_saved_is_the_closed_form():
    found = rows()["unpruned"]
    # AudioMAE of width 64: 33 and 25 tokens. 12 blocks of n (12 D^2 + 2 D) + 2 n^2 D + 4 n^2 (scaling of 4 heads)
    tokens = {"padded": 33, "native": 25}
    for mode, n in tokens.items():
        block = n * (12 * 64 * 64 + 2 * 64) + 2 * n * n * 64 + 4 * n * n
        total = 256 * (n - 1) * 64 + 12 * block + 64 + 64 + 64 * 10
        assert found[f"{mode}_gmacs"] == pytest.approx(total / 1e9, rel=1e-12)


def test_lengths_are_apart_and_what_is_not_made_says_why(tmp_path):
    found = heard(tmp_path / "a", seconds=(1.0, 2.0))
    assert [row.cells["length"] for row in build(found).rows] == ["1 s", "2 s"] * 3
    missing = build(heard(tmp_path / "b", made=False))
    assert all("is not made yet" in row.cells["padded"].why for row in missing.rows)
    assert lengths.of(lengths.every(heard(tmp_path / "c", made=False))) == []
