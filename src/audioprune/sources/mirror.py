"""The mirror folder: local archives that are used instead of the network."""

from __future__ import annotations

import os
from pathlib import Path

from audioprune.errors import UserError

VARIABLE = "AUDIOPRUNE_MIRROR"


def folder(configured: str | None = None) -> Path | None:
    """The mirror folder that the environment or the configuration names; None where neither does.

    The environment wins. A folder that is named but not there is an error: silently going to the network instead would
    surprise whoever named it.
    """
    named = os.environ.get(VARIABLE) or configured
    if not named:
        return None
    path = Path(named).expanduser()
    if not path.is_dir():
        where = f"the environment's {VARIABLE}" if os.environ.get(VARIABLE) else "config.yaml's `mirror`"
        raise UserError(f"the mirror folder {str(path)!r} does not exist (from {where}): correct it or remove it")
    return path


def find(file: str, configured: str | None = None) -> Path | None:
    """The archive named `file` in the mirror folder, or None."""
    base = folder(configured)
    path = base / file if base else None
    return path if path and path.is_file() else None
