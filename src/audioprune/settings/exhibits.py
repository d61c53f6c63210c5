"""Tables, figures and reports."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from audioprune.settings.closed import Closed
from audioprune.settings.model import Pruning


class Row(Closed):
    """A table or a figure as a row of report/exhibits.yaml. A table has the title and the caption of its module."""

    draw: str = Field(description="a module of audioprune.tables, or one of audioprune.figures that draws rows")
    title: str = Field("", description="of a figure, without its number")
    caption: str = Field("", description="of a figure, instead of its module's own")
    shows: dict[str, Any] = Field(default_factory=dict, description="what of a study a figure shows: its `Shows`")


class Contrast(Closed):
    """Two prunings of one model, evaluated on the same clips: the first minus the second, in points."""

    backbone: str = Field(description="whose models are compared")
    dataset: str = Field(description="on whose test clips")
    first: Pruning = Field(description="of the side that is expected to be better; none: unpruned")
    second: Pruning = Field(description="of the other side")
    trained: bool = Field(description="each side was trained as it is evaluated; else both are the unpruned model")
    tested: bool = Field(description="is one of those that are tested together; else the data bound its loss")


class ExhibitSettings(Closed):
    """A table or a figure of a study."""

    study: str = Field(description="a study of config.yaml")
    name: str = Field(description="a module of audioprune.tables or audioprune.figures, or a row (exhibits.yaml)")
    row: Row | None = Field(None, description="what a figure shows that is a row")
    contrasts: tuple[Contrast, ...] = Field((), description="those that the study declares, for the table of them")


class Credit(Closed):
    """Of a dataset whose clips a report may play."""

    dataset: str = Field(description="of which data")
    text: str = Field(description="whose the clips are, and under which licence")
    each: str = Field("", description="the file of its source in which every clip is credited by itself")


class ReportSettings(Closed):
    """A study's report, and what it prints of the study's block of config.yaml."""

    study: str = Field(description="a study of config.yaml")
    title: str = Field("", description="the report's heading")
    tier: str = Field("", description="how far the data is from the paper's")
    credits: tuple[Credit, ...] = Field((), description="of the datasets whose clips it plays")
    disputes: str = Field("", description="where a verdict is disputed: a repository with issues, or mail")
