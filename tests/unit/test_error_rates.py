"""Word and character error rates by hand, and what any distance obeys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.statistics.error_rates import cer, edit_distance, wer


def test_wer_and_cer():
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance([], ["a", "b"]) == 2
    assert wer("one two three", "one too three four") == pytest.approx(2 / 3)
    assert wer(["one two", "three four five six"], ["one two", ""]) == pytest.approx(
        4 / 6
    )  # pooled, not a mean of rates
    assert cer("abc", "abd") == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="at least one"):
        wer("", "a")


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_edit_distance_is_a_metric(one, other):
    distance = edit_distance(one, other)
    assert distance == edit_distance(other, one)
    assert (distance == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))
