"""The guard of a stale output: newer than it, also where nothing can be written under results/."""

from __future__ import annotations

import re

import pytest

from audioprune.cells import state
from audioprune.planning.exhibits import misspelt


@pytest.fixture
def output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "record.json").touch()
    return tmp_path / "record.json"


def test_it_is_newer_than_the_output(output):
    guard = state.guard(output)
    assert guard == state.GUARD
    assert guard.stat().st_mtime > output.stat().st_mtime


def test_where_nothing_can_be_written_it_lies_elsewhere_and_is_no_misspelt_target(output, tmp_path):
    (tmp_path / "results").touch()  # so that no folder can be made there, not even by root
    guard = state.guard(output)
    assert guard.is_file()
    assert not guard.is_relative_to(tmp_path)
    assert guard.stat().st_mtime >= output.stat().st_mtime
    assert state.guard(output) == guard
    assert not re.fullmatch(misspelt(["demo"]), str(guard))
    assert re.fullmatch(misspelt(["demo"]), "results/newer.txt")
