"""What the models of config.yaml cannot say of it: names that have to exist, recipes that have to be whole."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from audioprune import registry
from audioprune.cells.kinds import KINDS
from audioprune.config import durations, robustness
from audioprune.config import pace as timing
from audioprune.config.design import MADE_BEFORE, Config, Contrasts, Cost, Evaluations, Grid, Pair, Study
from audioprune.config.methods import parse_label
from audioprune.config.names import ALL, NAME
from audioprune.config.recipes import block_of, broken, layers, resolve_pretraining, resolve_recipe
from audioprune.config.recognitions import rates, recognition, unknown
from audioprune.config.schedules import never
from audioprune.config.training import FamilyRecipes
from audioprune.errors import UserError
from audioprune.facts.backbone import SIZES
from audioprune.facts.dataset import Dataset
from audioprune.settings.closed import Closed
from audioprune.settings.data import UserFolder
from audioprune.settings.training import Augment, Recipe

RESERVED = ("cells", "logs", "resume", "exhibits")  # folders of results/
STUDY = r"[A-Za-z](-?[A-Za-z0-9])*"  # also, with underscores, the name of a rule
COPIES = ("copy-table", "copy-figure", "copy-report")
RULES = ("all", "cell", "batch", "transcripts", "misspelt", *COPIES, *KINDS)  # whose name is taken


def errors_of(config: Config) -> list[str]:
    """Every error, with its place; recipes are put together only where what they extend and are like is there."""
    dangling = list(broken(config))
    found = [*_data(config), *dangling, *_recipes(config), *_pretraining(config), *_probes(config)]
    for name, study in config.studies.items():
        found += _study(config, name, study)
        for i, grid in enumerate(() if dangling else study.grids):
            found += _trained(config, f"studies.{name}.grids.{i}", study, grid)
    return list(dict.fromkeys(found))  # of a recipe that several grids use, once


def _datasets(config: Config) -> tuple[str, ...]:
    return (*registry.names("datasets"), *config.datasets)


def _data(config: Config) -> Iterator[str]:
    datasets = _datasets(config)
    taken = (*registry.names("datasets"), *RESERVED, ALL, *FamilyRecipes.model_fields)
    for name, user in config.datasets.items():
        if name in taken or name.startswith("checkpoint-"):
            yield f"datasets.{name}: this name is taken; choose another"
        elif not re.fullmatch(NAME, name):
            yield f"datasets.{name}: a dataset's name is letters, digits, hyphens and underscores"
        yield from _classes(f"datasets.{name}.classes", user)
    for name in (*config.data, *config.dataset_options):
        if name not in datasets:
            yield unknown("data / dataset_options", "dataset", name, datasets)
    for name in config.generators:
        if name not in (valid := registry.names("generators")):
            yield unknown("generators", "generator", name, valid)
    for name in config.checkpoints:
        if name not in (valid := registry.names("backbones")):
            yield unknown("checkpoints", "backbone", name, valid)


def _classes(place: str, user: UserFolder) -> Iterator[str]:
    """Names that a table of labels could not give, or that tell nothing apart."""
    for label in sorted({one for one in user.classes if user.classes.count(one) > 1}):
        yield f"{place}: {label!r} stands there twice"
    for label in user.classes:
        if label != label.strip() or not label:
            yield f"{place}: {label!r} has blanks around it, which labels in a CSV do not keep; take them off"
        if user.task == "multilabel" and ";" in label:
            yield f"{place}: {label!r} has the `;` that separates the labels of a clip; rename the class"
    if user.task not in ("transcription", "multilabel") and len(user.classes) < 2:
        yield f"{place}: {len(user.classes)} of them; the task {user.task!r} tells at least two apart"
    elif user.task == "multilabel" and not user.classes:
        yield f"{place}: none; the task 'multilabel' needs at least one"


def _recipes(config: Config) -> Iterator[str]:
    families, datasets = registry.families(), (ALL, *_datasets(config))
    for name, recipes in config.recipes.items():
        for family, block in recipes.families.items():
            place = f"recipes.{name}.{family}"
            if family not in families:
                yield unknown(place, "backbone family", family, families)
            for dataset, part in block.parts.items():
                if dataset not in datasets:
                    yield unknown(f"{place}.{dataset}", "dataset", dataset, datasets)
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
                yield unknown(own, "backbone family", family, families)
            yield from _fields(f"{own}.recipe", plan.recipe, Recipe)
            yield from _fields(f"{own}.augment", plan.augment, Augment)
            if missing := sorted({"epochs", "batch_size"} - block.recipe.keys() - plan.recipe.keys()):
                yield f"{own}.recipe: no {' and no '.join(missing)}"
            elif family in families:
                with contextlib.suppress(ValidationError):  # which is told above
                    _, recipe, augment = resolve_pretraining(block, family)
                    yield from (f"{own}: {what}" for what in never(recipe, augment, prunes=False))


def _probes(config: Config) -> Iterator[str]:
    for name, evaluations in config.evaluations.items():
        yield from _shelf(f"evaluations.{name}", evaluations)


def _shelf(place: str, evaluations: Evaluations) -> Iterator[str]:
    for j, label in enumerate(evaluations.off_the_shelf):
        yield from _method(f"{place}.off_the_shelf.{j}", label)
    for j, blocks in enumerate((*evaluations.blocks, evaluations.discard)):
        yield from _blocks(f"{place}.blocks.{j}" if j < len(evaluations.blocks) else f"{place}.discard", blocks)


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
    if name in (*RESERVED, *RULES) or not re.fullmatch(STUDY, name):
        yield (
            f"{place}: a study's name is letters, digits and hyphens, begins with a letter, and is none of "
            f"{', '.join((*RESERVED, *RULES))}"
        )
    valid = (*MADE_BEFORE, *config.pretraining)
    if study.pretraining not in valid:
        yield unknown(f"{place}.pretraining", "block", study.pretraining, valid)
    if (below := study.evaluations.extends) is not None and below not in config.evaluations:
        yield unknown(f"{place}.evaluations.extends", "evaluations", below, config.evaluations)
    yield from _shelf(f"{place}.evaluations", study.evaluations)
    methods = registry.names("pruning")
    for j, value in enumerate(study.traces.methods if study.traces else ()):
        if value not in methods:
            yield unknown(f"{place}.traces.methods.{j}", "method", value, methods)
    if study.contrasts:
        yield from _contrasts(f"{place}.contrasts", study, study.contrasts, _datasets(config))
    for i, cost in enumerate(study.costs):
        yield from _crossing(f"{place}.costs.{i}", cost, _datasets(config))
    for i, grid in enumerate(study.grids):
        yield from _crossing(f"{place}.grids.{i}", grid, _datasets(config))
        yield from _parts(config, f"{place}.grids.{i}", grid, "best_val" in study.selections)
    if study.throughput:
        for value in study.throughput.batch_size:
            if value not in (valid := (ALL, *_datasets(config))):
                yield unknown(f"{place}.throughput.batch_size", "dataset", value, valid)
    for i, heard in enumerate(study.recognitions):
        yield from recognition(config, f"{place}.recognitions.{i}", heard, _datasets(config))
    for i, pace in enumerate(study.pace):
        yield from timing.errors_of(f"{place}.pace.{i}", study, pace)
    for i, one in enumerate(study.robustness):
        yield from robustness.errors_of(config, f"{place}.robustness.{i}", study, one, _method)
    yield from robustness.twice(f"{place}.robustness", study)
    for i, lengths in enumerate(study.durations):
        yield from durations.errors_of(config, f"{place}.durations.{i}", study, lengths, _method)


def _parts(config: Config, place: str, grid: Grid, validated: bool) -> Iterator[str]:
    """Folds that a dataset has not, validation clips that its folds leave none, generators without a size."""
    for name in (one for one in grid.datasets if one in _datasets(config)):
        facts = config.datasets.get(name) or registry.dataset(name)
        if past := [fold for fold in grid.folds or () if fold > facts.folds]:
            yield f"{place}.folds: {past[0]} is more than the {facts.folds} of {name!r}"
        if grid.split == "nested" and facts.folds == 2:
            yield f"{place}.split: nested needs at least 3 folds (train, validation, test), and {name!r} has 2"
        elif grid.split == "published" and facts.folds > 1 and validated:
            yield (
                f"{place}.split: the study's `selections` name best_val, and {name!r} tests one of its {facts.folds} "
                "folds and trains on all others, so that nothing validates: split: nested, or take best_val out"
            )
        if isinstance(facts, Dataset) and facts.generator and facts.generator not in config.generators:
            yield f"{place}: {name!r} is made by the generator {facts.generator!r}, which `generators` gives no clips"


def _contrasts(place: str, study: Study, own: Contrasts, datasets: tuple[str, ...]) -> Iterator[str]:
    """Names, and whether a grid trains the models that are compared."""
    for j, backbone in enumerate(own.backbones):
        if backbone not in (valid := registry.names("backbones")):
            yield unknown(f"{place}.backbones.{j}", "backbone", backbone, valid)
    if own.dataset not in datasets:
        yield unknown(f"{place}.dataset", "dataset", own.dataset, datasets)
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
                yield unknown(f"{place}.{field}.{j}", kind, value, valid)
    yield from rates(place, crossing.keep_rates)
    yield from _blocks(f"{place}.blocks", crossing.blocks)
    for j, label in enumerate(crossing.methods):
        yield from _method(f"{place}.methods.{j}", label, min(crossing.keep_rates, default=1))


def _blocks(place: str, blocks: tuple[int, ...]) -> Iterator[str]:
    """Blocks that no backbone has: nothing would be pruned at them."""
    depth = min(size.depth for size in SIZES.values())
    if list(blocks) != sorted({block for block in blocks if 0 <= block < depth}):
        yield f"{place}: {list(blocks)} are not different, rising numbers from 0 to {depth - 1}"


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
        yield unknown(place, "recipes", name, config.recipes)
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
                continue
            with contextlib.suppress(ValidationError):  # which is told of the set
                recipe, augment = resolve_recipe(config, name, family, dataset)
                wrong = never(recipe, augment, prunes=min(grid.keep_rates, default=1) < 1)
                yield from (f"recipes.{name}.{family} on {dataset!r}: {what}" for what in wrong)
        pretraining = config.pretraining.get(study.pretraining)
        if pretraining and grid.initial == "pretrained" and block_of(pretraining.families, family) is None:
            yield f"{place}: pretraining.{study.pretraining} has no block for the family {family!r}"
