"""Which token analyses a figure shows: the field `shows` of its row of report/exhibits.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from audioprune.facts.dataset import Task
from audioprune.results.tokens import analysed
from audioprune.settings.closed import Closed

if TYPE_CHECKING:
    from audioprune.cells.query import Cells


class Analysed(Closed):
    """Token analyses of topk models (see results.tokens.analysed)."""

    tasks: tuple[Task, ...] = Field((), description="kinds of task; none: all")
    families: tuple[str, ...] = Field((), description="of backbones, and those that are like them; none: all")
    score: Literal["", "global", "cls"] = Field("", description="attention by which topk ranks; empty: any")
    own: bool = Field(False, description="only where that is the backbone's own")
    pruned: bool | None = Field(True, description="pruned models, unpruned ones, or (null) both")


def needs(study: Cells, shows: Analysed) -> list:
    """The `tokens` cells that a row shows."""
    return analysed(study, **dict(shows))
