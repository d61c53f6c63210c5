"""Which of a cell's settings enter its key: the fields that differ from the defaults they were introduced with.

Those are pinned (fingerprints.pinned), so a changed default changes the keys of the cells that relied on it and of no
other, and a new field with its default changes none. A field that is not pinned yet is left out at its present default.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from audioprune.fingerprints.pinned import PINNED


def keyed(settings: BaseModel) -> dict[str, Any]:
    """Fields that differ from their pinned defaults, as JSON; models inside models alike."""
    return _keyed(settings, settings.model_dump(mode="json"))


def _keyed(value: object, dumped: Any) -> Any:
    """The keyed part of a value, given with its JSON."""
    if isinstance(value, BaseModel):
        found = {}
        for name, place, required in _fields(type(value)):
            inner, part = getattr(value, name), dumped[name]
            part = _keyed(inner, part) if isinstance(inner, BaseModel | list | tuple) else part
            left_out = (
                part == PINNED[place] if place in PINNED else not required and part == default_of(type(value), name)
            )
            if not left_out:
                found[name] = part
        return found
    if isinstance(value, list | tuple):
        return [_keyed(*pair) for pair in zip(value, dumped, strict=True)]
    return dumped


@cache
def _fields(model: type[BaseModel]) -> tuple[tuple[str, str, bool], ...]:
    """(name, place in the table, whether it has no default) of each field."""
    return tuple((name, place_of(model, name), field.is_required()) for name, field in model.model_fields.items())


def place_of(model: type[BaseModel], name: str) -> str:
    """A field's name in the table of pinned defaults."""
    return f"{model.__name__}.{name}"


def default_of(model: type[BaseModel], name: str) -> Any:
    """A field's present default as it would be pinned."""
    value = model.model_fields[name].get_default(call_default_factory=True)
    return _keyed(value, to_jsonable_python(value))


def with_defaults(model: type[BaseModel], recorded: dict[str, Any]) -> dict[str, Any]:
    """Recorded settings with what a field came with where the record was written before it came; models inside alike.

    The key of such a cell holds the pinned default; the present one may be another.
    """
    pinned = {name: PINNED[place] for name in model.model_fields if (place := place_of(model, name)) in PINNED}
    return {name: _inner(model, name, value) for name, value in (pinned | recorded).items()}


def _inner(model: type[BaseModel], name: str, value: Any) -> Any:
    field = model.model_fields.get(name)
    found = model_in(field.annotation) if field and isinstance(value, dict) else None
    return with_defaults(found, value) if found else value


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, such as Model of `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(model_in, getattr(annotation, "__args__", ()))), None)
