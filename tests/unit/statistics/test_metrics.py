"""Metrics against hand counts and scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from audioprune.statistics.metrics import (
    average_precision,
    mean_average_precision,
    metric_of,
    multi_hot,
    top1,
)


def test_top1_counts_any_own_label_and_takes_the_first_of_ties():
    scores = np.array([[0.1, 0.9], [0.5, 0.5], [0.2, 0.1], [0.0, 1.0]])
    assert top1(scores, [[1], [1], [0], [0, 1]]) == 0.75


def test_average_precision_by_hand():
    scores = np.array([[0.9], [0.8], [0.7], [0.6]])
    assert average_precision(scores, np.array([[1], [0], [1], [0]]))[0] == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.zeros((4, 1)), np.array([[1], [0], [0], [0]]))[0] == 0.25  # all tied: the base rate


@settings(deadline=None)
@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(arrays(np.int8, (n, 3), elements=st.integers(-3, 3)), arrays(np.bool_, (n, 3)))
    )
)
def test_average_precision_equals_scikit_learn_with_ties(drawn):
    scores, truth = drawn[0].astype(np.float32), drawn[1]
    found = average_precision(scores, truth)
    for c in range(3):
        if truth[:, c].any():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert found[c] == pytest.approx(average_precision_score(truth[:, c], scores[:, c]), abs=1e-12)
        else:
            assert np.isnan(found[c])


def test_map_is_the_mean_over_classes_with_positives():
    scores = np.array([[3.0, 1.0, 9.0], [2.0, 2.0, 9.0], [1.0, 3.0, 9.0]])
    assert mean_average_precision(scores, [[0], [], [0, 1]]) == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)


def test_multi_hot():
    assert multi_hot([[0, 2], []], 3).tolist() == [[1, 0, 1], [0, 0, 0]]


def test_metric_of_predictions():
    table = pd.DataFrame({"labels": [[0], [1]], "scores": [[2.0, 1.0], [2.0, 1.0]]})
    assert metric_of(table, "top1") == 0.5
    assert metric_of(table, "map") == pytest.approx(0.5)
    with pytest.raises(ValueError, match="no metric named 'f1'"):
        metric_of(table, "f1")
