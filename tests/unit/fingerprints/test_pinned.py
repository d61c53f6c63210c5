"""docs/pinned.md names everything that can decide a result, and tests that are there."""

from __future__ import annotations

import re

from audioprune.config.design import Config
from tests import REPOSITORY

PAGE = (REPOSITORY / "docs" / "pinned.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]


def test_every_key_of_the_configuration_has_a_row():
    named = [match[1] for row in ROWS if (match := re.fullmatch(r" `(\w+)` ", row[0]))]
    assert [key for key in named if not key.startswith("AUDIOPRUNE")] == list(Config.model_fields)


def test_every_variable_of_the_environment_is_named():
    read = {
        name
        for path in (REPOSITORY / "src").rglob("*.py")
        for name in re.findall(r"\bAUDIOPRUNE_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    assert {"AUDIOPRUNE_MIRROR", "AUDIOPRUNE_DEVICE"} <= read
    assert sorted(read - set(re.findall(r"AUDIOPRUNE_[A-Z_]+", PAGE))) == []


def test_the_tests_that_it_names_are_there():
    tests = {
        name
        for path in (REPOSITORY / "tests").rglob("*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    rows = [row for row in ROWS if "`test_" in row[-1]]
    assert len(rows) == len(ROWS) - 2  # all but the two heads
    assert [name for row in rows for name in re.findall(r"`(test_\w+)`", row[-1]) if name not in tests] == []
