"""A model and how it is pruned."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from audioprune import registry
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.settings.closed import Closed, OptionValue


class Model(Closed):
    backbone: str = Field(description="family and size, such as audiomae-b or ast-tiny")
    patch: int = Field(PATCH, gt=0, description="side of a square patch, in frames and mel bins (paper.md 1.3)")
    stride: int = Field(PATCH, gt=0, description="step between patches, in frames and mel bins")
    kernel: Literal["eager", "fused"] = Field("fused", description="attention with or without explicit maps")


class Pruning(Closed):
    """Token pruning; keep_rate 1 means no selection step at all, whatever the method.

    A method with a constant r acts in every block: keep_rate and blocks then say nothing and stay at their defaults.
    """

    method: str = Field("none", description="a module of audioprune.pruning (paper.md 1.5)")
    keep_rate: float = Field(1.0, gt=0, le=1, description="share of the non-prefix tokens kept at each pruning block")
    blocks: tuple[int, ...] = Field(
        BLOCKS, description="pruning blocks, counted from zero: tokens go after their attention"
    )
    options: dict[str, OptionValue] = Field(
        default_factory=dict, description="options of the method: score, variant, seed, ..."
    )

    @model_validator(mode="before")
    @classmethod
    def _unpruned_is_none(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        method = data.get("method", "none")
        if method != "none" and registry.method(method).is_constant(data.get("options") or {}):
            return {name: value for name, value in data.items() if name not in ("keep_rate", "blocks")}
        if method == "none" or data.get("keep_rate", 1.0) == 1.0:
            return {"method": "none", "keep_rate": 1.0}
        return data
