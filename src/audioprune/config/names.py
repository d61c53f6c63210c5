"""Names and fields in config.yaml as types, with what editors are told of them by the JSON schema.

Whether a name exists audioprune.config.checks says: these take any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from audioprune import registry
from audioprune.config.methods import examples
from audioprune.facts.recogniser import CTC, POOLED, RECOGNISERS
from audioprune.settings.closed import Closed, OptionValue
from audioprune.settings.evaluation import Perturbation
from audioprune.settings.training import Augment, Recipe

ALL = "all"  # every other dataset, every test
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"  # of a dataset


def _closed(names: Callable[[], tuple[str, ...]]) -> Any:
    """Editors are told that one of these names is wanted."""
    return Field(json_schema_extra=lambda schema: schema.update(enum=list(names())))


def _open(names: Callable[[], tuple[str, ...]], pattern: Callable[[], str]) -> Any:
    """Editors are told of these names, and that others of this form may do."""

    def told(schema: dict[str, Any]) -> None:
        schema.update(anyOf=[{"enum": list(names())}, {"pattern": pattern()}])

    return Field(json_schema_extra=told)


def _label() -> str:
    """The form of a method's label: its name, and a word for each option (audioprune.config.methods)."""
    return rf"^({'|'.join(registry.names('pruning'))})(\.[A-Za-z0-9_-]+)*$"


def _fields_of(model: type[Closed]) -> Any:
    """Editors are told that any of a model's fields may be given, and none has to be."""

    def told(schema: dict[str, Any]) -> None:
        own = model.model_json_schema()
        schema.update(properties=own["properties"], additionalProperties=False)

    return Field(json_schema_extra=told)


BackboneName = Annotated[str, _closed(lambda: registry.names("backbones"))]
RecogniserName = Annotated[str, _closed(lambda: (*RECOGNISERS, *CTC))]
PolicyName = Annotated[str, _closed(lambda: (*registry.policies(), POOLED))]
FamilyName = Annotated[str, _closed(registry.families)]
DatasetName = Annotated[
    str, _open(lambda: registry.names("datasets"), lambda: NAME)
]  # those of the user are names, too
MethodLabel = Annotated[str, _open(examples, _label)]
Tests = Annotated[
    tuple[Perturbation, ...],
    BeforeValidator(
        lambda given: get_args(Perturbation) if given == ALL else given,
        json_schema_input_type=Literal["all"] | tuple[Perturbation, ...],
    ),
]
RecipeFields = Annotated[dict[str, OptionValue | tuple[float, float]], _fields_of(Recipe)]
AugmentFields = Annotated[dict[str, OptionValue], _fields_of(Augment)]
