"""What all settings have in common."""

from __future__ import annotations
from typing import Annotated, Any, Literal, Self
from pydantic import BaseModel, ConfigDict, Field, model_validator
from audioprune import registry
from audioprune.facts.tokens import BLOCKS, PATCH


OptionValue = str | int | float | bool


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
