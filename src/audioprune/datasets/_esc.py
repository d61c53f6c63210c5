"""File names of the ESC family: <fold>-<Freesound clip>-<take>[-<class>].<suffix>."""

from __future__ import annotations

import re
from typing import NamedTuple

from audioprune.errors import UserError

NAME = re.compile(r"([1-5])-(\d+)-([A-Z])(?:-(\d+))?\.(?:ogg|wav)")


class EscName(NamedTuple):
    fold: int
    recording: str  # Freesound clip from which several takes may be cut; all of them are in one fold
    take: str
    target: int | None


def parse(path: str, dataset: str) -> EscName:
    name = path.rpartition("/")[2]
    match = NAME.fullmatch(name)
    if not match:
        raise UserError(f"{dataset}: {path} is not named <fold>-<clip>-<take>.ogg or .wav; remove it or rename it")
    fold, recording, take, target = match.groups()
    return EscName(int(fold), recording, take, None if target is None else int(target))
