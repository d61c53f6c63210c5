"""Whose a clip is: the credit of its source, and of the clip itself where the source names one for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audioprune.sources.place import root_of

if TYPE_CHECKING:
    from audioprune.results.study import Result
    from audioprune.settings.exhibits import Credit

LINK = re.compile(r"\[([^]]+)\]\([^)]*\)")  # of Markdown: what is shown of it stays


def credit_of(audio: Result, clip: str, credit: Credit) -> str:
    """The clip's own credit, where the source has a file of them, then that of the source."""
    own = _own(audio, clip, credit.each) if credit.each else ""
    return ". ".join(filter(None, (own, credit.text)))


def _own(audio: Result, clip: str, file: str) -> str:
    """What a line of the file says of the clip, behind its name and a colon; empty where there is none."""
    fetched = next(one for name, one in audio.inputs.items() if one.kind == "fetch")
    path = root_of(fetched.dir, fetched.settings.source) / file
    for line in path.read_text(encoding="utf-8").splitlines():
        name, colon, said = LINK.sub(r"\1", line).replace("*", "").partition(":")
        if colon and name.strip(" -").rpartition(".")[0] == clip:
            return said.strip()
    return ""
