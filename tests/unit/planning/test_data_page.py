"""docs/data.md says what the code does: every reason, every column, every other way to write a split."""

from __future__ import annotations

import re
from typing import get_args

from audioprune.audio import decode, read, resample
from audioprune.audio.bad_clip import Reason
from audioprune.planning import user_columns, user_rows
from tests import REPOSITORY

PAGE = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """First cells of the table whose head has this first cell."""
    body = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)


def test_every_reason_has_a_row():
    assert first_cells("reason") == list(get_args(Reason))


def test_every_column_has_a_row():
    assert sorted(first_cells("column")) == sorted(user_columns.COLUMNS)


def test_every_word_for_a_split_is_there():
    assert set(user_rows.KNOWN_AS) <= set(re.findall(r"`(\w+)`", PAGE))


def test_numbers():
    assert read.LONGEST / 16000 / 60 > 69.9
    assert "more than 70 minutes" in PAGE
    assert resample.LARGEST == 50_000
    assert "terms above 50 000" in PAGE
    assert decode.STEPS == 32768
    assert "32 768" in PAGE
    assert decode.CANCELLED == 1e-3
    assert "a thousandth of their power" in PAGE
