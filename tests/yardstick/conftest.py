"""Fixtures: two runs of the made-up study, and what the comparison prints of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from _made_up import write
from compare import main


@pytest.fixture
def runs(tmp_path) -> tuple[Path, Path]:
    """The same run twice."""
    write(tmp_path / "old")
    write(tmp_path / "new")
    return tmp_path / "old", tmp_path / "new"


@pytest.fixture
def compared(runs, tmp_path, capsys):
    """compared(exceptions): (exit code, lines of what is printed, without blank ones)."""

    def run(exceptions: str = "", *options: str) -> tuple[int, list[str]]:
        if exceptions:
            (tmp_path / "exceptions.yaml").write_text(exceptions)
            options = (*options, "--except", str(tmp_path / "exceptions.yaml"))
        code = main([*map(str, runs), *options])
        return code, [line.rstrip() for line in capsys.readouterr().out.splitlines()[2:] if line.strip()]

    return run
