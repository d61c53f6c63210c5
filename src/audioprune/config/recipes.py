"""Recipe sets that extend one another, resolved: the settings of a family on a dataset, and where each comes from.

A part (recipes.<set>.<family>.<dataset>) lies over the same part of the set that its set `extends`, and of the family
that its family is `like`; the part of a dataset, so put together, lies over that of `all`. A family without a block in
a set and those that it extends has the block of the family that the facts say it is like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from audioprune import registry
from audioprune.config.design import Config, Evaluations
from audioprune.config.names import ALL
from audioprune.config.training import FamilyRecipes, Part, Pretraining, PretrainPlan, RecipeSet
from audioprune.errors import UserError
from audioprune.settings.training import Augment, Recipe

Value = TypeVar("Value")


@dataclass(frozen=True)
class Layer:
    """A part, and its place in config.yaml."""

    place: str
    part: Part


@dataclass(frozen=True)
class Said:
    """A field's value, and where it is said."""

    value: object
    place: str


def chain(name: str, below: Callable[[str], str | None]) -> tuple[str, ...]:
    """A name after all that lie below it, the lowest first; raises UserError where that goes in a circle."""
    found = [name]
    while (lower := below(found[-1])) is not None:
        if lower in found:
            raise UserError(f"refers to itself: {' -> '.join((*found, lower))}")
        found.append(lower)
    return tuple(reversed(found))


def block_of(by_family: Mapping[str, Value], family: str) -> Value | None:
    """What stands for a family of backbones: its own block, or else that of the family it is like; None without one."""
    return by_family.get(family) or by_family.get(registry.family(family).like)


def layers(recipes: Mapping[str, RecipeSet], name: str, family: str, dataset: str) -> list[Layer]:
    """The parts for a family and a dataset, each to be laid over those before it; none where the set has no block.

    Raises UserError where sets or families go in a circle.
    """
    sets = chain(name, lambda one: recipes[one].extends)
    blocks: dict[str, dict[str, FamilyRecipes]] = {}  # family -> set -> block, the lowest set first
    for one in sets:
        for own, block in recipes[one].families.items():
            blocks.setdefault(own, {})[one] = block
    own = family if family in blocks else registry.family(family).like

    def like(one: str) -> str | None:
        return next((block.like for block in reversed(blocks.get(one, {}).values()) if block.like), None)

    families = chain(own, like) if own in blocks else ()
    return [
        Layer(f"recipes.{block_set}.{each}.{part}", block.parts[part])
        for part in (ALL, dataset)
        for each in families
        for block_set, block in blocks.get(each, {}).items()
        if part in block.parts
    ]


def resolve_recipe(config: Config, recipes: str, family: str, dataset: str) -> tuple[Recipe, Augment]:
    """The recipe and augmentation of one family on one dataset."""
    found = layers(config.recipes, recipes, family, dataset)
    recipe = {k: v for layer in found for k, v in layer.part.recipe.items()}
    augment = {k: v for layer in found for k, v in layer.part.augment.items()}
    return Recipe.model_validate(recipe), Augment.model_validate(augment)


def said(config: Config, recipes: str, family: str, dataset: str) -> dict[str, Said]:
    """{recipe.<field> or augment.<field>: value and place} of every setting of training."""
    found = layers(config.recipes, recipes, family, dataset)
    try:
        resolved = resolve_recipe(config, recipes, family, dataset)
    except ValidationError as error:
        missing = " and no ".join(str(one["loc"][-1]) for one in error.errors())
        raise UserError(f"recipes.{recipes} gives {family} on {dataset!r} no {missing}") from None
    everything: dict[str, Said] = {}
    for kind, model in zip(("recipe", "augment"), resolved):
        places = {field: layer.place for layer in found for field in getattr(layer.part, kind)}
        for field in type(model).model_fields:
            place = places.get(field, f"default of {type(model).__name__}")
            everything[f"{kind}.{field}"] = Said(getattr(model, field), place)
    return everything


def resolve_pretraining(block: Pretraining, family: str) -> tuple[PretrainPlan, Recipe, Augment]:
    """The plan of one family, and its recipe and augmentation."""
    plan = block_of(block.families, family)
    assert plan is not None, "the configuration was checked"
    return plan, Recipe.model_validate(block.recipe | plan.recipe), Augment.model_validate(plan.augment)


def resolve_evaluations(config: Config, evaluations: Evaluations) -> Evaluations:
    """Evaluations with the fields of the sets that they extend where they give none of their own."""
    sets = chain(evaluations.extends, lambda one: config.evaluations[one].extends) if evaluations.extends else ()
    given: dict[str, Any] = {}
    for layer in (*(config.evaluations[one] for one in sets), evaluations):
        given |= {field: getattr(layer, field) for field in layer.model_fields_set - {"extends"}}
    return Evaluations(**given)


def broken(config: Config) -> Iterator[str]:
    """What is wrong with what sets extend, and with what families of a set are like."""
    found = [*_extends("recipes", config.recipes), *_extends("evaluations", config.evaluations)]
    yield from found
    for name, recipes in config.recipes.items() if not found else ():
        sets = [config.recipes[one] for one in chain(name, lambda one: config.recipes[one].extends)]
        known = {family for one in sets for family in one.families}
        for family, block in recipes.families.items():
            place = f"recipes.{name}.{family}.like"
            if block.like is not None and block.like not in known:
                yield f"{place}: no family of this set named {block.like!r}{registry.nearest(block.like, known)}"
            elif block.like is not None:
                try:
                    layers(config.recipes, name, family, ALL)
                except UserError as error:
                    yield f"{place} {error}"


def _extends(kind: str, sets: Mapping[str, RecipeSet] | Mapping[str, Evaluations]) -> Iterator[str]:
    for name, one in sets.items():
        if one.extends is not None and one.extends not in sets:
            yield f"{kind}.{name}.extends: no {kind} named {one.extends!r}{registry.nearest(one.extends, sets)}"
            continue
        try:
            chain(name, lambda at: sets[at].extends if at in sets else None)
        except UserError as error:
            yield f"{kind}.{name}.extends {error}"
