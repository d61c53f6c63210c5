"""Holm's adjustment: by hand, against its definition, and its properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.statistics.holm import holm

P = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def rejected(p, alpha: float) -> set[int]:
    """The step-down procedure itself: the smallest p against alpha / k, the next against alpha / (k - 1), ..."""
    found = set()
    for step, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[i] * (len(p) - step) > alpha:
            break
        found.add(i)
    return found


@given(P, st.sampled_from([0.01, 0.05, 0.2]))
def test_rejects_what_the_procedure_rejects(p, alpha):
    assert {i for i, own in enumerate(holm(p)) if own <= alpha} == rejected(p, alpha)


@given(P, st.randoms())
def test_monotone_bounded_and_free_of_order(p, random):
    adjusted = np.array(holm(p))
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p))).all()  # never above Bonferroni
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    order = list(range(len(p)))
    random.shuffle(order)
    assert holm([p[i] for i in order]) == adjusted[order].tolist()


def test_what_is_no_p_value_is_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm([0.5, 1.2])
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm([float("nan")])
