"""What of a study a figure shows: the fields `shows` of a row of report/exhibits.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audioprune.facts.dataset import Task
from audioprune.settings import Closed


class Analysed(Closed):
    """Token analyses of topk models (see results.tokens.analysed)."""

    tasks: tuple[Task, ...] = Field((), description="kinds of task; none: all")
    families: tuple[str, ...] = Field((), description="of backbones, and those that are like them; none: all")
    score: Literal["", "global", "cls"] = Field("", description="attention by which topk ranks; empty: any")
    own: bool = Field(False, description="only where that is the backbone's own")
    pruned: bool | None = Field(True, description="pruned models, unpruned ones, or (null) both")
