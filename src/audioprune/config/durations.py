"""What `durations` asks about: which models of a study's grids, and whether its lengths are some of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from audioprune import registry
from audioprune.config.design import Config, Study
from audioprune.config.recognitions import unknown
from audioprune.config.robustness import asked
from audioprune.config.tested import Durations
from audioprune.facts.tokens import PATCH

Checked = Callable[[str, str, float], Iterator[str]]  # (place, label of a method, keep-rate) -> errors
FRAME = 0.01  # seconds


def errors_of(config: Config, place: str, study: Study, given: Durations, label: Checked) -> Iterator[str]:
    """Every error, with its place."""
    own = [grid for grid in study.grids if not grid.baseline and not grid.recipes]
    for field, kind in (("backbones", "backbone"), ("datasets", "dataset")):
        there = dict.fromkeys(name for grid in own for name in getattr(grid, field))
        for j, name in enumerate(getattr(given, field)):
            if name not in there:
                yield unknown(f"{place}.{field}.{j}", f"{kind} in its grids", name, there)
    yield from _seconds(config, f"{place}.seconds", study, given)
    for field in ("keep_rates", "off_the_shelf_rates"):
        for j, rate in enumerate(getattr(given, field)):
            if not 0 < rate < 1:
                yield f"{place}.{field}.{j}: {rate} is not above 0 and below 1; the unpruned model is always there"
    for field, rates in (("methods", given.keep_rates), ("off_the_shelf", given.off_the_shelf_rates)):
        for j, name in enumerate(getattr(given, field)):
            yield from label(f"{place}.{field}.{j}", name, min(rates, default=1))


def _seconds(config: Config, place: str, study: Study, given: Durations) -> Iterator[str]:
    if len(set(given.seconds)) < len(given.seconds):
        yield f"{place}: {list(given.seconds)} must be different"
    datasets = dict.fromkeys(dataset for _, _, dataset in asked(study, given))
    known = {name: config.datasets.get(name) or registry.dataset(name) for name in datasets if _known(config, name)}
    for j, seconds in enumerate(given.seconds):
        for name, facts in known.items():
            longest = facts.frames * FRAME
            if not PATCH * FRAME <= seconds <= longest:
                yield (
                    f"{place}.{j}: {seconds} s is not from {PATCH * FRAME:g} to {longest:g}, the length of models of "
                    f"{name!r}: a native length is whole columns of {PATCH} frames"
                )


def _known(config: Config, name: str) -> bool:
    return name in config.datasets or name in registry.names("datasets")
