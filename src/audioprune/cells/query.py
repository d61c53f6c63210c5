"""Queries for cells, planned or made, by which plans, exhibits and claims find what they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from audioprune.facts.dataset import Dataset
    from audioprune.settings.exhibits import Contrast


class Asked(Protocol):
    """A planned cell, or a result."""

    @property
    def settings(self) -> Any: ...

    @property
    def inputs(self) -> Mapping[str, Any]: ...


class Cells(Protocol):
    """A planned study, or its results: what is asked for the cells that an exhibit shows."""

    @property
    def dataset(self) -> Callable[[str], Dataset]: ...

    @property
    def contrasts(self) -> tuple[Contrast, ...]: ...

    def cells(self, kind: str, **wanted: Any) -> list[Any]: ...


def matches(cell: Asked, wanted: dict) -> bool:
    """Whether a cell has all wanted values, looked for in its settings, then in its trace's and its fine-tuning's.

    Names: any field of the settings; `backbone`, `method`, `keep_rate` of the nested model and pruning blocks.
    """
    return all(value_of(cell, name) == value for name, value in wanted.items())


def value_of(cell: Asked, name: str) -> Any:
    """A named value of a cell (see `matches`); None where it has none."""
    settings = cell.settings
    if name == "backbone":
        settings = getattr(settings, "model", None)
    elif name in ("method", "keep_rate", "options", "blocks") and hasattr(settings, "pruning"):
        settings = settings.pruning
    if settings is not None and hasattr(settings, name):
        return getattr(settings, name)
    upstream = next((cell.inputs[kind] for kind in ("trace", "finetune") if kind in cell.inputs), None)
    return None if upstream is None else value_of(upstream, name)


def as_trained(cell: Asked) -> bool:
    """Whether an evaluation or a trace prunes as its model was trained to, unperturbed."""
    perturbation = getattr(cell.settings, "perturbation", "none")
    return perturbation == "none" and bool(cell.settings.pruning == cell.inputs["finetune"].settings.pruning)
