"""Which runs form one series: a variant enters a series' name only if the same model has several variants there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame


def variants_shown(frame: DataFrame, *within: str) -> list[str]:
    """Each row's variant, where rows that are alike in the columns `within` have several; else an empty text."""
    several = frame.groupby(list(within))["variant"].transform("nunique") > 1
    return [variant if told else "" for variant, told in zip(frame["variant"], several, strict=True)]
