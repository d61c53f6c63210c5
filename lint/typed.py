"""What mypy finds, by the settings in pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", "--no-color-output", "--show-error-codes")
ERROR = re.compile(r"^([^:\n]+):\d+: error: (.+?)  \[([a-z0-9-]+)\]$", re.MULTILINE)


def violations(root: Path) -> list[str]:
    done = subprocess.run(COMMAND, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"mypy did not run:\n{done.stdout}{done.stderr}")
    return lines(done.stdout)


def lines(output: str) -> list[str]:
    """Errors without their line numbers, cut where a type is spelt out at length; notes are left out."""
    return [f"{path}: {code}: {message:.200}" for path, message, code in ERROR.findall(output)]
