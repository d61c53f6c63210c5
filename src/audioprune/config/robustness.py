"""What `robustness` asks about: which models of a study's grids, and whether their disturbances can be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite

from audioprune import registry
from audioprune.config.design import Config, Grid, Study
from audioprune.config.recognitions import unknown
from audioprune.config.tested import Durations, Robustness
from audioprune.facts.dataset import Dataset
from audioprune.facts.noise import ADDED, BORROWED, GAIN, REVERB
from audioprune.settings.data import UserFolder

SPOKEN = ("keyword", "speaker", "transcription")  # tasks whose clips are speech
WANTED = {
    "babble": "a dataset of speech: name one, such as fsdd-digits",
    "environment": "a dataset of other sounds: name one, such as esc10",
}
Checked = Callable[[str, str, float], Iterator[str]]  # (place, label of a method, keep-rate) -> errors


def asked(study: Study, given: Robustness | Durations) -> Iterator[tuple[Grid, str, str]]:
    """(grid, backbone, dataset) of the models that a block is about: by the study's own recipes, no second baseline."""
    for grid in study.grids:
        if not grid.baseline and not grid.recipes:
            for backbone in grid.backbones:
                for dataset in grid.datasets:
                    if backbone in (given.backbones or grid.backbones) and dataset in (given.datasets or grid.datasets):
                        yield grid, backbone, dataset


def errors_of(config: Config, place: str, study: Study, given: Robustness, label: Checked) -> Iterator[str]:
    """Every error, with its place."""
    own = [grid for grid in study.grids if not grid.baseline and not grid.recipes]
    for field, kind in (("backbones", "backbone"), ("datasets", "dataset")):
        there = dict.fromkeys(name for grid in own for name in getattr(grid, field))
        for j, name in enumerate(getattr(given, field)):
            if name not in there:
                yield unknown(f"{place}.{field}.{j}", f"{kind} in its grids", name, there)
    yield from _levels(place, given)
    yield from _sources(config, place, study, given)
    yield from _models(place, study, given, label)


def _levels(place: str, given: Robustness) -> Iterator[str]:
    for field in ("kinds", "snrs", "t60s"):
        if len(set(values := getattr(given, field))) < len(values):
            yield f"{place}.{field}: {list(values)} must be different"
    if wrong := [level for level in given.snrs if not isfinite(level)]:
        yield f"{place}.snrs: {wrong[0]} is no level in dB; clean clips are always there"
    if wrong := [level for level in given.t60s if not 0 < level < 10]:
        yield f"{place}.t60s: {wrong[0]} is no reverberation time in seconds, above 0 and below 10"
    if not set(given.kinds) - {GAIN}:
        yield f"{place}.kinds: `gain` is the control of noise; name a kind beside it: {', '.join(ADDED)}"
    if REVERB in given.kinds and not given.t60s:
        yield f"{place}.t60s: the levels of `reverb` are times in seconds, such as [0.3, 0.6, 0.9]"
    if REVERB not in given.kinds and "t60s" in given.model_fields_set:
        yield f"{place}.t60s: levels of `reverb`, which is not among `kinds`: {', '.join(given.kinds)}"
    if set(given.kinds) - {REVERB} and not given.snrs:
        yield f"{place}.snrs: noise needs levels in dB, such as [20, 10, 0]"


def _sources(config: Config, place: str, study: Study, given: Robustness) -> Iterator[str]:
    """What noise is made of: named where it has to be, known, and used."""
    datasets = (*registry.names("datasets"), *config.datasets)
    for kind in (one for one in BORROWED if one != "other"):
        source = getattr(given, kind)
        if source is not None and kind not in given.kinds:
            yield f"{place}.{kind}: {source!r} would make `{kind}`, which is not among `kinds`"
        elif source is not None and source not in datasets:
            yield unknown(f"{place}.{kind}", "dataset", source, datasets)
        elif source is None and kind in given.kinds:
            for name in dict.fromkeys(dataset for _, _, dataset in asked(study, given)):
                if name in datasets and not (kind == "babble" and _facts(name, config.datasets).task in SPOKEN):
                    yield f"{place}.{kind}: `{kind}` on {name!r} needs {WANTED[kind]}"


def _models(place: str, study: Study, given: Robustness, label: Checked) -> Iterator[str]:
    for field in ("keep_rates", "off_the_shelf_rates"):
        for j, rate in enumerate(getattr(given, field)):
            if not 0 < rate < 1:
                yield f"{place}.{field}.{j}: {rate} is not above 0 and below 1; the unpruned model is always there"
    for field, least in (("methods", given.keep_rates), ("off_the_shelf", given.off_the_shelf_rates)):
        for j, name in enumerate(getattr(given, field)):
            yield from label(f"{place}.{field}.{j}", name, min(least, default=1.0))
    models = [*asked(study, given)]
    for backbone, dataset in dict.fromkeys((backbone, dataset) for _, backbone, dataset in models):
        grids = [grid for grid, one, other in models if (one, other) == (backbone, dataset)]
        if not any(1.0 in grid.keep_rates for grid in grids):
            yield f"{place}: no grid trains {backbone} on {dataset} unpruned (keep-rate 1.0), to compare with"
    for method in given.methods if "methods" in given.model_fields_set else ():
        if not any(method in grid.methods for grid, _, _ in models):
            yield f"{place}.methods: no grid trains {method!r} there"
    for rate in given.keep_rates if "keep_rates" in given.model_fields_set else ():
        if not any(rate in grid.keep_rates for grid, _, _ in models):
            yield f"{place}.keep_rates: no grid trains a model at {rate:g} there"


def twice(place: str, study: Study) -> Iterator[str]:
    """Models that two blocks ask about: which of the two answers?"""
    seen: dict[tuple[str, str], int] = {}
    for i, given in enumerate(study.robustness):
        for backbone, dataset in dict.fromkeys((backbone, dataset) for _, backbone, dataset in asked(study, given)):
            if (first := seen.setdefault((backbone, dataset), i)) != i:
                yield f"{place}.{i}: {backbone} on {dataset} stands in {place}.{first}, too"


def _facts(name: str, users: Mapping[str, UserFolder]) -> Dataset | UserFolder:
    return users[name] if name in users else registry.dataset(name)
