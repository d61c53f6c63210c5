"""What the models of config.yaml cannot say of it: names that have to exist, recipes that have to be whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError

from audioprune import registry
from audioprune.cells.kinds import KINDS
from audioprune.config import MADE_BEFORE, Config, Contrasts, Cost, Grid, Pair, Probes, Study
from audioprune.config_names import ALL, NAME
from audioprune.config_training import FamilyRecipes
from audioprune.errors import UserError
from audioprune.methods import parse_label
from audioprune.recipes import block_of, broken, layers
from audioprune.settings import Augment, Closed, Recipe

RESERVED = ("cells", "logs", "resume", "exhibits")  # folders of results/
RULES = ("all", "cell", "batch", "misspelt", "copy-table", "copy-figure", "copy-report", *KINDS)  # whose name is taken


def errors_of(config: Config) -> list[str]:
    """Every error, with its place; recipes are put together only where what they extend and are like is there."""
    dangling = list(broken(config))
    found = [*_data(config), *dangling, *_recipes(config), *_pretraining(config), *_probes(config)]
    for name, study in config.studies.items():
        found += _study(config, name, study)
        for i, grid in enumerate(() if dangling else study.grids):
            found += _trained(config, f"studies.{name}.grids.{i}", study, grid)
    return found


def _datasets(config: Config) -> tuple[str, ...]:
    return (*registry.names("datasets"), *config.datasets)


def _unknown(place: str, kind: str, name: str, valid: Iterable[str]) -> str:
    return f"{place}: no {kind} named {name!r}{registry.nearest(name, valid)}"


def _data(config: Config) -> Iterator[str]:
    datasets = _datasets(config)
    taken = (*registry.names("datasets"), *RESERVED, ALL, *FamilyRecipes.model_fields)
    for name, user in config.datasets.items():
        if name in taken or name.startswith("checkpoint-"):
            yield f"datasets.{name}: this name is taken; choose another"
        elif not re.fullmatch(NAME, name):
            yield f"datasets.{name}: a dataset's name is letters, digits, hyphens and underscores"
        for label in sorted({one for one in user.classes if user.classes.count(one) > 1}):
            yield f"datasets.{name}.classes: {label!r} stands there twice"
    for name in (*config.data, *config.dataset_options):
        if name not in datasets:
            yield _unknown("data / dataset_options", "dataset", name, datasets)
    for name in config.checkpoints:
        if name not in (valid := registry.names("backbones")):
            yield _unknown("checkpoints", "backbone", name, valid)


def _recipes(config: Config) -> Iterator[str]:
    families, datasets = registry.families(), (ALL, *_datasets(config))
    for name, recipes in config.recipes.items():
        for family, block in recipes.families.items():
            place = f"recipes.{name}.{family}"
            if family not in families:
                yield _unknown(place, "backbone family", family, families)
            for dataset, part in block.parts.items():
                if dataset not in datasets:
                    yield _unknown(f"{place}.{dataset}", "dataset", dataset, datasets)
                yield from _fields(f"{place}.{dataset}.recipe", part.recipe, Recipe)
                yield from _fields(f"{place}.{dataset}.augment", part.augment, Augment)


def _pretraining(config: Config) -> Iterator[str]:
    families = registry.families()
    for name, block in config.pretraining.items():
        place = f"pretraining.{name}"
        yield from _fields(f"{place}.recipe", block.recipe, Recipe)
        for family, plan in block.families.items():
            own = f"{place}.families.{family}"
            if family not in families:
                yield _unknown(own, "backbone family", family, families)
            yield from _fields(f"{own}.recipe", plan.recipe, Recipe)
            yield from _fields(f"{own}.augment", plan.augment, Augment)
            if missing := sorted({"epochs", "batch_size"} - block.recipe.keys() - plan.recipe.keys()):
                yield f"{own}.recipe: no {' and no '.join(missing)}"


def _probes(config: Config) -> Iterator[str]:
    for name, probes in config.probes.items():
        yield from _shelf(f"probes.{name}", probes)


def _shelf(place: str, probes: Probes) -> Iterator[str]:
    for j, label in enumerate(probes.off_the_shelf):
        yield from _method(f"{place}.off_the_shelf.{j}", label)


def _fields(place: str, values: Mapping[str, object], model: type[Closed]) -> Iterator[str]:
    full = {**({"epochs": 1, "batch_size": 1} if model is Recipe else {}), **values}
    try:
        model.model_validate(full)
    except ValidationError as error:
        for e in error.errors():
            field = e["loc"][-1]
            hint = registry.nearest(field, model.model_fields) if e["type"] == "extra_forbidden" else f": {e['msg']}"
            yield f"{place}.{'.'.join(map(str, e['loc']))} (value: {e.get('input')!r}) is not valid{hint}"


def _study(config: Config, name: str, study: Study) -> Iterator[str]:
    place = f"studies.{name}"
    if name in (*RESERVED, *RULES) or not name.replace("-", "").isalnum():
        yield f"{place}: a study's name is letters, digits and hyphens, and none of {', '.join((*RESERVED, *RULES))}"
    valid = (*MADE_BEFORE, *config.pretraining)
    if study.pretraining not in valid:
        yield _unknown(f"{place}.pretraining", "block", study.pretraining, valid)
    if (below := study.probes.extends) is not None and below not in config.probes:
        yield _unknown(f"{place}.probes.extends", "probes", below, config.probes)
    yield from _shelf(f"{place}.probes", study.probes)
    methods = registry.names("pruning")
    for j, value in enumerate(study.traces.methods if study.traces else ()):
        if value not in methods:
            yield _unknown(f"{place}.traces.methods.{j}", "method", value, methods)
    if study.contrasts:
        yield from _contrasts(f"{place}.contrasts", study, study.contrasts, _datasets(config))
    for i, cost in enumerate(study.costs):
        yield from _crossing(f"{place}.costs.{i}", cost, _datasets(config))
    for i, grid in enumerate(study.grids):
        yield from _crossing(f"{place}.grids.{i}", grid, _datasets(config))


def _contrasts(place: str, study: Study, own: Contrasts, datasets: tuple[str, ...]) -> Iterator[str]:
    """Names, and whether a grid trains the models that are compared."""
    for j, backbone in enumerate(own.backbones):
        if backbone not in (valid := registry.names("backbones")):
            yield _unknown(f"{place}.backbones.{j}", "backbone", backbone, valid)
    if own.dataset not in datasets:
        yield _unknown(f"{place}.dataset", "dataset", own.dataset, datasets)
    for field in ("tested", "bounded"):
        for j, pair in enumerate(getattr(own, field)):
            at = f"{place}.{field}.{j}"
            if not 0 < pair.keep_rate < 1:
                yield f"{at}.keep_rate: {pair.keep_rate} is not above 0 and below 1"
            for side in ("first", "second"):
                label = getattr(pair, side)
                yield from _method(f"{at}.{side}", label, pair.keep_rate)
                off_the_shelf = field == "tested" or label == "none"
                for backbone in own.backbones:
                    grids = [g for g in study.grids if backbone in g.backbones and own.dataset in g.datasets]
                    if off_the_shelf and not any(1.0 in g.keep_rates for g in grids):
                        yield f"{at}: no grid trains {backbone} on {own.dataset} unpruned (keep-rate 1.0)"
                    elif not off_the_shelf and not any(_trains(g, pair, label) for g in grids):
                        yield f"{at}: no grid trains {backbone} on {own.dataset} with this {label}"


def _trains(grid: Grid, pair: Pair, label: str) -> bool:
    return label in grid.methods and pair.keep_rate in grid.keep_rates and pair.blocks == grid.blocks


def _crossing(place: str, crossing: Grid | Cost, datasets: tuple[str, ...]) -> Iterator[str]:
    for field, kind, valid in (
        ("backbones", "backbone", registry.names("backbones")),
        ("datasets", "dataset", datasets),
    ):
        for j, value in enumerate(getattr(crossing, field)):
            if value not in valid:
                yield _unknown(f"{place}.{field}.{j}", kind, value, valid)
    for j, rate in enumerate(crossing.keep_rates):
        if not 0 < rate <= 1:
            yield f"{place}.keep_rates.{j}: {rate} is not above 0 and at most 1"
    for j, label in enumerate(crossing.methods):
        yield from _method(f"{place}.methods.{j}", label, min(crossing.keep_rates, default=1))


def _method(place: str, label: str, lowest: float = 1.0) -> Iterator[str]:
    """Of a method's label, and of the lowest keep-rate that it is crossed with."""
    try:
        method = parse_label(label)
    except UserError as error:
        yield f"{place}: {error}"
        return
    facts = registry.method(method.name)
    if lowest < facts.least and not facts.is_constant(method.options):
        yield f"{place}: {facts.name} keeps at least {facts.least:g} of a block's tokens, not {lowest}"


def _trained(config: Config, place: str, study: Study, grid: Grid) -> Iterator[str]:
    """Whether there is a whole recipe, and a pre-training, for every backbone and dataset of a grid."""
    name = grid.recipes or study.recipes
    if name not in config.recipes:
        yield _unknown(place, "recipes", name, config.recipes)
        return
    for backbone in (one for one in grid.backbones if one in registry.names("backbones")):
        family = registry.backbone(backbone).family.name
        for dataset in grid.datasets:
            parts = layers(config.recipes, name, family, dataset)
            if not parts:
                yield f"{place}: recipes.{name} has no block for the family {family!r}"
                break
            given = {field for layer in parts for field in layer.part.recipe}
            if missing := sorted({"epochs", "batch_size"} - given):
                yield f"{place}: recipes.{name}.{family} gives {dataset!r} no {' and no '.join(missing)}"
        pretraining = config.pretraining.get(study.pretraining)
        if pretraining and grid.initial == "pretrained" and block_of(pretraining.families, family) is None:
            yield f"{place}: pretraining.{study.pretraining} has no block for the family {family!r}"
