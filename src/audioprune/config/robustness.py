"""What `robustness` asks about: whether its disturbances can be made, and every model has an unpruned one beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from audioprune import registry
from audioprune.config.asked import Checked, asked, model_errors
from audioprune.config.design import Config, Study
from audioprune.config.recognitions import unknown
from audioprune.config.tested import NOISE_TRAINED, Robustness
from audioprune.facts.dataset import Dataset
from audioprune.facts.noise import ADDED, BORROWED, GAIN, REVERB
from audioprune.settings.data import UserFolder

SPOKEN = ("keyword", "speaker", "transcription")  # tasks whose clips are speech
WANTED = {
    "babble": "a dataset of speech: name one, such as fsdd-digits",
    "environment": "a dataset of other sounds: name one, such as esc10",
}


def errors_of(config: Config, place: str, study: Study, given: Robustness, label: Checked) -> Iterator[str]:
    """Every error, with its place."""
    yield from _levels(place, given)
    yield from _sources(config, place, study, given)
    yield from model_errors(place, study, given, label)
    yield from _baselines(place, study, given)


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


def _baselines(place: str, study: Study, given: Robustness) -> Iterator[str]:
    models = [*asked(study, given)]
    for backbone, dataset in dict.fromkeys((backbone, dataset) for _, backbone, dataset in models):
        grids = [grid for grid, one, other in models if (one, other) == (backbone, dataset)]
        if not any(1.0 in grid.keep_rates for grid in grids):
            yield f"{place}: no grid trains {backbone} on {dataset} unpruned (keep-rate 1.0), to compare with"
        method, rate = NOISE_TRAINED
        wanted = method in given.methods and rate in given.keep_rates
        there = any(wanted and method in grid.methods and rate in grid.keep_rates for grid in grids)
        if given.noise_trained and not there:
            yield f"{place}.noise_trained: asks for {method} at {rate}, which no grid trains of {backbone} on {dataset}"


def twice(place: str, study: Study) -> Iterator[str]:
    """Models that two blocks ask about: which of the two answers?"""
    seen: dict[tuple[str, str], int] = {}
    for i, given in enumerate(study.robustness):
        for backbone, dataset in dict.fromkeys((backbone, dataset) for _, backbone, dataset in asked(study, given)):
            if (first := seen.setdefault((backbone, dataset), i)) != i:
                yield f"{place}.{i}: {backbone} on {dataset} stands in {place}.{first}, too"


def _facts(name: str, users: Mapping[str, UserFolder]) -> Dataset | UserFolder:
    return users[name] if name in users else registry.dataset(name)
