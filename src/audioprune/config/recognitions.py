"""What the models of config.yaml cannot say of recognisers: names that have to exist, and how those that learn do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from audioprune import registry
from audioprune.config.design import Config, Recognition
from audioprune.config.schedules import never
from audioprune.facts.recogniser import AUXILIARY, CTC, POOLED, RECOGNISERS, THRESHOLDS
from audioprune.settings.training import Augment, Recipe


def unknown(place: str, kind: str, name: str, valid: Iterable[str]) -> str:
    return f"{place}: no {kind} named {name!r}{registry.nearest(name, valid)}"


def recognition(config: Config, place: str, given: Recognition, datasets: tuple[str, ...]) -> Iterator[str]:
    """Of a block of a study's recognitions; `datasets` are all there are."""
    every = RECOGNISERS | CTC
    spoken = tuple(name for name in datasets if _task(config, name) == "transcription")
    for field, kind, valid in (
        ("recognisers", "recogniser", tuple(every)),
        ("datasets", "dataset with transcripts", spoken),
        ("policies", "policy", (*registry.policies(), POOLED)),
    ):
        for j, value in enumerate(getattr(given, field)):
            if value not in valid:
                yield unknown(f"{place}.{field}.{j}", kind, value, valid)
    if given.taught is not None:
        for j, name in enumerate(given.taught.also_on):
            if name not in spoken:
                yield unknown(f"{place}.taught.also_on.{j}", "dataset with transcripts", name, spoken)
    for name in given.datasets:
        if name in config.datasets and config.datasets[name].folds > 1:
            yield f"{place}.datasets: {name!r} has folds, and nothing is trained: name test clips in a column `split`"
    if set(given.budgets) == {"threshold"}:
        for j, name in enumerate(given.policies):
            if name not in THRESHOLDS:
                those = ", ".join(THRESHOLDS)
                yield f"{place}.policies.{j}: {name!r} has no score to hold against a threshold; {those} have"
    yield from rates(place, given.keep_rates)
    depth = min((every[one].depth for one in given.recognisers if one in every), default=0)
    for j, blocks in enumerate(given.blocks):
        if not blocks or list(blocks) != sorted({b for b in blocks if 0 <= b < depth}):
            yield f"{place}.blocks.{j}: {list(blocks)} must be different, rising numbers from 0 to {depth - 1}"
    yield from _taught(place, given)


def _taught(place: str, given: Recognition) -> Iterator[str]:
    """Whether what has to learn can, and by a whole recipe."""
    taught = given.taught
    for j, name in enumerate(given.recognisers):
        if name in CTC and taught is None:
            yield f"{place}.recognisers.{j}: {name!r} has a CTC head: say under `taught` how it learns"
        elif name in RECOGNISERS and taught is not None:
            yield f"{place}.recognisers.{j}: {name!r} is heard as it was published: take it to a block without `taught`"
        elif name in CTC and taught is not None and bool(taught.base) == CTC[name].official:
            has = (
                "starts from its official checkpoint: give no base" if taught.base else "has no checkpoint: give a base"
            )
            yield f"{place}.taught.base: {name!r} {has}"
    if taught is None:
        for j, policy in enumerate(given.policies):
            if policy in AUXILIARY:
                yield f"{place}.policies.{j}: {policy!r} ranks by a CTC head, which recognisers without `taught` lack"
        return
    for field, recipe in (("base", taught.base), ("adapted", taught.base | taught.adapted if taught.adapted else {})):
        if recipe:
            try:
                own = Recipe.model_validate(recipe)
            except ValidationError as error:
                for one in error.errors():
                    name = ".".join(map(str, one["loc"]))
                    hint = registry.nearest(name, Recipe.model_fields) if one["type"] == "extra_forbidden" else ""
                    yield f"{place}.taught.{field}: {name} is not valid: {one['msg']}{hint}"
            else:
                yield from (f"{place}.taught.{field}: {what}" for what in never(own, Augment()))


def _task(config: Config, dataset: str) -> str:
    return config.datasets[dataset].task if dataset in config.datasets else registry.dataset(dataset).task


def rates(place: str, given: tuple[float, ...]) -> Iterator[str]:
    for j, rate in enumerate(given):
        if not 0 < rate <= 1:
            yield f"{place}.keep_rates.{j}: {rate} is not above 0 and at most 1"
