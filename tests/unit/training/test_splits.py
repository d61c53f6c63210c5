"""Rows of train, validation and test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.errors import UserError
from audioprune.training.splits import rows_of


def folded(folds: int = 5, each: int = 4) -> pd.DataFrame:
    n = folds * each
    return pd.DataFrame(
        {"clip": [f"c{i}" for i in range(n)], "recording": "", "fold": np.arange(n) % folds + 1, "split": ""}
    )


def fixed(train: int, val: int, test: int, per_recording: int = 1) -> pd.DataFrame:
    names = ["train"] * train + ["val"] * val + ["test"] * test
    recording = [f"r{i // per_recording}" for i in range(len(names))]
    return pd.DataFrame(
        {"clip": [f"c{i}" for i in range(len(names))], "recording": recording, "fold": 0, "split": names}
    )


@pytest.mark.parametrize("fold", range(1, 6))
def test_folds(fold):
    clips = folded()
    rows = rows_of(clips, folds=5, fold=fold)
    assert set(clips["fold"][rows.test]) == {fold}
    assert (len(rows.train), len(rows.val)) == (16, 0)
    nested = rows_of(clips, folds=5, fold=fold, split="nested")
    assert set(clips["fold"][nested.val]) == {fold % 5 + 1}
    assert len(nested.train) == 12
    assert list(nested.test) == list(rows.test)


def test_an_official_validation_set_is_never_trained_on():
    rows = rows_of(fixed(10, 4, 6), folds=1)
    assert (len(rows.train), len(rows.val), len(rows.test)) == (10, 4, 6)
    nested = rows_of(fixed(10, 4, 6), folds=1, split="nested")
    assert list(nested.train) == list(rows.train)


@given(st.integers(20, 200), st.integers(1, 7), st.integers(0, 5))
def test_five_percent_held_out_in_whole_recordings(train, per_recording, seed):
    clips = fixed(train, 0, 5, per_recording)
    rows = rows_of(clips, folds=1, split="nested", seed=seed)
    assert 0.05 * train <= len(rows.val) < 0.05 * train + per_recording
    assert set(rows.train) | set(rows.val) == set(range(train))
    assert not set(clips["recording"][rows.train]) & set(clips["recording"][rows.val])
    again = rows_of(clips, folds=1, split="nested", seed=seed)
    assert list(again.val) == list(rows.val)


def test_without_recordings_clips_are_held_out_one_by_one():
    clips = fixed(100, 0, 5).assign(recording="")
    assert len(rows_of(clips, folds=1, split="nested").val) == 5


def test_what_is_not_there_is_said():
    with pytest.raises(UserError, match="fold 6 does not exist"):
        rows_of(folded(), folds=5, fold=6)
    with pytest.raises(UserError, match="the fold must be 1"):
        rows_of(fixed(10, 0, 2), folds=1, fold=2)
    with pytest.raises(UserError, match="no test clips"):
        rows_of(fixed(10, 0, 0), folds=1)
    with pytest.raises(UserError, match="at least 3 folds"):
        rows_of(folded(2), folds=2, split="nested")
