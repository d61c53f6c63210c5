"""What all settings have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

OptionValue = str | int | float | bool


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
