"""Which trained models of a study's grids a further test is about, and whether there are such."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from audioprune.config.design import Grid, Study
from audioprune.config.recognitions import unknown
from audioprune.config.tested import Tested

Checked = Callable[[str, str, float], Iterator[str]]  # (place, label of a method, keep-rate) -> errors


def asked(study: Study, given: Tested) -> Iterator[tuple[Grid, str, str]]:
    """(grid, backbone, dataset) of the models that a block is about: by the study's own recipes, no second baseline."""
    for grid in _own(study):
        for backbone in grid.backbones:
            for dataset in grid.datasets:
                if backbone in (given.backbones or grid.backbones) and dataset in (given.datasets or grid.datasets):
                    yield grid, backbone, dataset


def model_errors(place: str, study: Study, given: Tested, label: Checked) -> Iterator[str]:
    """Names that no grid has, labels and keep-rates that do not exist, and those that are asked for and not trained."""
    for field, kind in (("backbones", "backbone"), ("datasets", "dataset")):
        there = dict.fromkeys(name for grid in _own(study) for name in getattr(grid, field))
        for j, name in enumerate(getattr(given, field)):
            if name not in there:
                yield unknown(f"{place}.{field}.{j}", f"{kind} in its grids", name, there)
    for field in ("keep_rates", "off_the_shelf_rates"):
        for j, rate in enumerate(getattr(given, field)):
            if not 0 < rate < 1:
                yield f"{place}.{field}.{j}: {rate} is not above 0 and below 1; the unpruned model is always there"
    for field, rates in (("methods", given.keep_rates), ("off_the_shelf", given.off_the_shelf_rates)):
        for j, name in enumerate(getattr(given, field)):
            yield from label(f"{place}.{field}.{j}", name, min(rates, default=1.0))
    grids = [grid for grid, _, _ in asked(study, given)]
    for method in given.methods if "methods" in given.model_fields_set else ():
        if not any(method in grid.methods for grid in grids):
            yield f"{place}.methods: no grid trains {method!r} there"
    for rate in given.keep_rates if "keep_rates" in given.model_fields_set else ():
        if not any(rate in grid.keep_rates for grid in grids):
            yield f"{place}.keep_rates: no grid trains a model at {rate:g} there"


def _own(study: Study) -> list[Grid]:
    return [grid for grid in study.grids if not grid.baseline and not grid.recipes]
