"""config.yaml: closed typed models, and one message with every error at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import Field, ValidationError

from audioprune import registry
from audioprune.cells.kinds import KINDS
from audioprune.errors import UserError
from audioprune.facts.options import option_names, refusal
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.settings import Augment, Closed, OptionValue, Perturbation, Recipe, UserFolder

Block = TypeVar("Block")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
RESERVED = ("cells", "logs", "resume", "exhibits")  # folders of results/
RULES = ("all", "cell", "batch", "misspelt", "copy-table", "copy-figure", "copy-report", *KINDS)  # whose name is taken


class Method(Closed):
    """A pruning method with its options; in the grid a plain name stands for a method without options."""

    method: str
    options: dict[str, OptionValue] = {}


def method_of(named: str | Method) -> Method:
    return named if isinstance(named, Method) else Method(method=named)


class Grid(Closed):
    """A full crossing; several grids make a study, and cells that two grids share are one cell."""

    backbones: tuple[str, ...]
    datasets: tuple[str, ...]
    methods: tuple[str | Method, ...] = ("topk",)
    keep_rates: tuple[float, ...] = (1.0, 0.7, 0.5)
    folds: tuple[int, ...] | None = Field(None, description="None: every fold the dataset has")
    seeds: tuple[int, ...] = (0,)
    blocks: tuple[int, ...] = BLOCKS
    split: Literal["published", "nested"] = "published"
    initial: Literal["pretrained", "scratch"] = "pretrained"
    perturbations: tuple[Perturbation, ...] = Field((), description="Algorithm 1 tests; evaluation only")
    baseline: Literal["paper", "matched"] | None = Field(
        None, description="instead of the recipe's (docs/differences.md, B7)"
    )
    recipes: str | None = Field(None, description="a block of `recipes` instead of the study's")


class Cost(Closed):
    """Models that are counted and timed beside their unpruned one, and not trained."""

    backbones: tuple[str, ...]
    datasets: tuple[str, ...]
    methods: tuple[str | Method, ...]
    keep_rates: tuple[float, ...] = Field((0.5,), description="a method by a constant r is there once below 1")
    blocks: tuple[int, ...] = BLOCKS
    stride: int = Field(PATCH, gt=0, description="step between patches: FastAST's is 10")


class Traces(Closed):
    """Which fine-tunings are looked into, and on how many clips."""

    keep_rates: tuple[float, ...] = (1.0, 0.5)
    methods: tuple[str, ...] = Field(("topk",), description="pruning methods; an unpruned model needs none of them")
    clips: int = Field(64, ge=0, description="test clips traced in each run; 0: all")
    runs: Literal["first", "folds", "all"] = Field(
        "first", description="the first fold and seed of a grid, its first seed in every fold, or every run"
    )


class Probes(Closed):
    """Fine-tuned models evaluated with something else than they were trained with: no training."""

    matrix: bool = Field(False, description="each topk fine-tuning, the unpruned one too, at all its grid's keep-rates")
    off_the_shelf: tuple[str | Method, ...] = Field((), description="methods that prune the unpruned model")
    blocks: tuple[tuple[int, ...], ...] = Field((), description="other blocks at which topk prunes the unpruned model")
    discard: tuple[int, ...] = Field((), description="blocks after which intensity clusters are discarded, unpruned")


class Throughput(Closed):
    batch_size: dict[str, int] = Field(default_factory=dict, description="by dataset; `all` for the others")
    kernels: tuple[Literal["eager", "fused"], ...] = ("eager", "fused")
    precision: Literal["fp32", "tf32", "fp16", "bf16"] = "fp32"
    warmup: int = 10
    runs: int = 50
    device: str = Field("here", description="`here`: the device of the planning machine; else the device's name")


class Generated(Closed):
    """How much audio a generator makes, and from which seed."""

    clips: int = Field(gt=0)
    seed: int = 0
    options: dict[str, OptionValue] = {}


class Corpus(Closed):
    generator: str
    clips: int = Field(gt=0)
    seed: int = 0
    options: dict[str, OptionValue] = {}


class PretrainPlan(Closed):
    objective: Literal["mae", "supervised"]
    recipe: Recipe
    augment: Augment = Augment()
    mask_ratio: float = 0.8
    decoder_width: int = 64
    decoder_depth: int = 2
    seed: int = 0


class Pretraining(Closed):
    """How the tiny backbones get their checkpoint: one corpus, one plan for each family."""

    corpus: Corpus
    families: dict[str, PretrainPlan]


class Part(Closed):
    """Fields of Recipe and of Augment; those of a dataset are laid over those of `all`."""

    recipe: dict[str, OptionValue | tuple[float, float]] = {}
    augment: dict[str, OptionValue] = {}


class Study(Closed):
    title: str
    tier: Literal["published", "synthetic", "real miniature"]
    recipes: str = Field(description="a block of `recipes`")
    pretraining: str = Field("official", description="a block of `pretraining`, or `official` checkpoints")
    grids: tuple[Grid, ...] = Field(min_length=1)
    selections: tuple[Literal["last", "best_test", "best_val"], ...] = ("last",)
    traces: Traces | None = Traces()
    probes: Probes = Probes()
    throughput: Throughput | None = Throughput()
    costs: tuple[Cost, ...] = ()


class Config(Closed):
    mirror: str | None = Field(None, description="folder with archives; AUDIOPRUNE_MIRROR wins")
    bad_clips: Literal["stop", "set_aside"] = "stop"
    data: dict[str, str] = Field(default_factory=dict, description="folder of a dataset that cannot be fetched")
    checkpoints: dict[str, str] = Field(default_factory=dict, description="file of a backbone's official checkpoint")
    datasets: dict[str, UserFolder] = Field(default_factory=dict, description="the user's own data")
    dataset_options: dict[str, dict[str, OptionValue]] = Field(default_factory=dict)
    generators: dict[str, Generated] = Field(default_factory=dict, description="sizes and seeds of generated audio")
    pretraining: dict[str, Pretraining] = {}
    recipes: dict[str, dict[str, dict[str, Part]]] = Field(description="set -> family -> `all` or a dataset")
    studies: dict[str, Study]


class _Loader(yaml.SafeLoader):
    """safe_load that refuses a key given twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict:
    seen: set = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands here twice", key_node.start_mark)
        seen.add(key)
    loader.flatten_mapping(node)
    return {loader.construct_object(k, deep=True): loader.construct_object(v, deep=True) for k, v in node.value}


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load(path: Path = Path("config.yaml")) -> Config:
    """The validated configuration; raises one UserError that lists every error with its key, value and mend."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError:
        raise UserError(f"{path} is not here: run from the root of the repository") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not plain YAML: {error}") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} is empty or not a mapping: its keys are {', '.join(Config.model_fields)}")
    data = {k: v for k, v in data.items() if not str(k).startswith("x-")}  # x-...: anchors for YAML merges
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise _report(path, [_structural(e) for e in error.errors()]) from None
    errors = list(_semantic(config))
    if errors:
        raise _report(path, errors)
    return config


def _report(path: Path, errors: list[str]) -> UserError:
    lines = "\n".join(f"  {error}" for error in errors)
    return UserError(f"{path} has {len(errors)} error{'s' * (len(errors) > 1)}; nothing was run:\n{lines}")


def _structural(error: dict) -> str:
    place = ".".join(str(part) for part in error["loc"])
    value = error.get("input")
    shown = "" if isinstance(value, dict | list) else f" (value: {value!r})"
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key{shown}{registry.nearest(error['loc'][-1], _fields_at(error['loc'][:-1]))}"
    if error["type"] == "literal_error":
        valid = [v.strip("' ") for v in error["ctx"]["expected"].replace(" or ", ",").split(",")]
        return f"{place}: {value!r} is not valid{registry.nearest(value, valid)}"
    return f"{place}: {error['msg']}{shown}"


def _fields_at(loc: tuple) -> list[str]:
    """Valid keys at a place of the configuration, found by walking the models' annotations."""
    model: type | None = Config
    for part in loc:
        if model is None:
            return []
        found = model.model_fields.get(part) if isinstance(part, str) else None
        if found is not None:
            model = _model_in(found.annotation)
    return list(model.model_fields) if model is not None else []


def _model_in(annotation) -> type | None:
    if isinstance(annotation, type) and issubclass(annotation, Closed):
        return annotation
    found = [m for m in map(_model_in, getattr(annotation, "__args__", ())) if m]
    return found[-1] if found else None


def _semantic(config: Config):
    datasets = (*registry.names("datasets"), *config.datasets)
    for name in config.datasets:
        if name in (*registry.names("datasets"), *RESERVED, "all") or name.startswith("checkpoint-"):
            yield f"datasets.{name}: this name is taken; choose another"
        elif not NAME.fullmatch(name):
            yield f"datasets.{name}: a dataset's name is letters, digits, hyphens and underscores"
        classes = config.datasets[name].classes
        for label in sorted({one for one in classes if classes.count(one) > 1}):
            yield f"datasets.{name}.classes: {label!r} stands there twice"
    for name in (*config.data, *config.dataset_options):
        if name not in datasets:
            yield f"data / dataset_options: no dataset named {name!r}{registry.nearest(name, datasets)}"
    for name in config.checkpoints:
        if name not in registry.names("backbones"):
            yield f"checkpoints: no backbone named {name!r}{registry.nearest(name, registry.names('backbones'))}"
    families = registry.families()
    for recipes, by_family in config.recipes.items():
        for family, parts in by_family.items():
            place = f"recipes.{recipes}.{family}"
            if family not in families:
                yield f"{place}: no backbone family {family!r}{registry.nearest(family, families)}"
            for dataset, part in parts.items():
                if dataset not in ("all", *datasets):
                    yield f"{place}.{dataset}: no dataset {dataset!r}{registry.nearest(dataset, ('all', *datasets))}"
                for field, model in (("recipe", Recipe), ("augment", Augment)):
                    yield from _part_errors(f"{place}.{dataset}.{field}", getattr(part, field), model)
    for name, study in config.studies.items():
        yield from _study_errors(config, name, study, datasets)


def _part_errors(place: str, values: dict, model: type[Closed]):
    full = {**({"epochs": 1, "batch_size": 1} if model is Recipe else {}), **values}
    try:
        model.model_validate(full)
    except ValidationError as error:
        for e in error.errors():
            field = e["loc"][-1]
            hint = registry.nearest(field, model.model_fields) if e["type"] == "extra_forbidden" else f": {e['msg']}"
            yield f"{place}.{'.'.join(map(str, e['loc']))} (value: {e.get('input')!r}) is not valid{hint}"


def _study_errors(config: Config, name: str, study: Study, datasets: tuple[str, ...]):
    place = f"studies.{name}"
    if name in (*RESERVED, *RULES) or not name.replace("-", "").isalnum():
        yield f"{place}: a study's name is letters, digits and hyphens, and none of {', '.join((*RESERVED, *RULES))}"
    valid = ("official", *config.pretraining)
    if study.pretraining not in valid:
        yield f"{place}.pretraining: no block named {study.pretraining!r}{registry.nearest(study.pretraining, valid)}"
    for j, value in enumerate(study.probes.off_the_shelf):
        yield from _method_errors(f"{place}.probes.off_the_shelf.{j}", method_of(value))
    methods = registry.names("pruning")
    for j, value in enumerate(study.traces.methods if study.traces else ()):
        if value not in methods:
            yield f"{place}.traces.methods.{j}: no method named {value!r}{registry.nearest(value, methods)}"
    for i, cost in enumerate(study.costs):
        yield from _crossing_errors(f"{place}.costs.{i}", cost, datasets)
    for i, grid in enumerate(study.grids):
        yield from _crossing_errors(f"{place}.grids.{i}", grid, datasets)
        yield from _recipe_errors(config, f"{place}.grids.{i}", study, grid)


def _crossing_errors(place: str, crossing: Grid | Cost, datasets: tuple[str, ...]):
    for field, kind, valid in (
        ("backbones", "backbone", registry.names("backbones")),
        ("datasets", "dataset", datasets),
    ):
        for j, value in enumerate(getattr(crossing, field)):
            if value not in valid:
                yield f"{place}.{field}.{j}: no {kind} named {value!r}{registry.nearest(value, valid)}"
    for j, rate in enumerate(crossing.keep_rates):
        if not 0 < rate <= 1:
            yield f"{place}.keep_rates.{j}: {rate} is not above 0 and at most 1"
    for j, method in enumerate(map(method_of, crossing.methods)):
        yield from _method_errors(f"{place}.methods.{j}", method, min(crossing.keep_rates, default=1))


def _method_errors(place: str, method: Method, lowest: float = 1.0):
    """Of a method with its options, and of the lowest keep-rate that it is crossed with."""
    if method.method not in (valid := registry.names("pruning")):
        yield f"{place}: no method named {method.method!r}{registry.nearest(method.method, valid)}"
        return
    facts, build = registry.method(method.method), registry.get("pruning", method.method).build
    for name, value in method.options.items():
        if name not in (known := option_names(build)):
            yield f"{place}: {facts.name} has no option {name!r}{registry.nearest(name, known)}"
        elif wrong := refusal(facts, build, name, value):
            yield f"{place}: {facts.name}: {wrong}"
    if lowest < facts.least and not facts.is_constant(method.options):
        yield f"{place}: {facts.name} keeps at least {facts.least:g} of a block's tokens, not {lowest}"


def _recipe_errors(config: Config, place: str, study: Study, grid: Grid):
    name = grid.recipes or study.recipes
    by_family = config.recipes.get(name)
    if by_family is None:
        yield f"{place}: no recipes named {name!r}{registry.nearest(name, config.recipes)}"
        return
    for backbone in grid.backbones:
        if backbone not in registry.names("backbones"):
            continue
        family = registry.backbone(backbone).family.name
        parts = block_of(by_family, family)
        if parts is None:
            yield f"{place}: recipes.{name} has no block for the family {family!r}"
            continue
        for dataset in grid.datasets:
            given = {field for part in ("all", dataset) if part in parts for field in parts[part].recipe}
            if missing := sorted({"epochs", "batch_size"} - given):
                yield f"{place}: recipes.{name}.{family} gives {dataset!r} no {' and no '.join(missing)}"
        pretraining = config.pretraining.get(study.pretraining)
        if pretraining and grid.initial == "pretrained" and block_of(pretraining.families, family) is None:
            yield f"{place}: pretraining.{study.pretraining} has no block for the family {family!r}"


def block_of(by_family: Mapping[str, Block], family: str) -> Block | None:
    """What stands for a family of backbones: its own block, or else that of the family it is like; None without one."""
    return by_family.get(family) or by_family.get(registry.family(family).like)


def resolve_recipe(config: Config, recipes: str, family: str, dataset: str) -> tuple[Recipe, Augment]:
    """The recipe and augmentation of one family on one dataset: the dataset's fields over those of `all`."""
    parts = block_of(config.recipes[recipes], family)
    layers = [parts[name] for name in ("all", dataset) if name in parts]
    recipe = {k: v for layer in layers for k, v in layer.recipe.items()}
    augment = {k: v for layer in layers for k, v in layer.augment.items()}
    return Recipe.model_validate(recipe), Augment.model_validate(augment)
