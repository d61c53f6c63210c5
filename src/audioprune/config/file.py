"""config.yaml, read: one message with every error at once, each with its place, value and mend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from audioprune import registry
from audioprune.config.checks import errors_of
from audioprune.config.design import Config
from audioprune.config.methods import label_of
from audioprune.errors import UserError
from audioprune.settings.closed import Closed

MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """safe_load that refuses a key given twice, and merges."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict:
    seen: list = []
    for key_node, _ in node.value:
        mark = key_node.start_mark
        if key_node.tag == MERGE:
            told = "`<<` is not used here: a set of recipes or evaluations `extends` another; write out the rest"
            raise yaml.constructor.ConstructorError(None, None, told, mark)
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands here twice", mark)
        seen.append(key)
    return loader.construct_mapping(node, deep=True)


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
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        wrong = [e for e in error.errors() if not (e["type"] == "too_short" and e["input"])]  # an item's own is told
        raise _report(path, [_told(e) for e in wrong]) from None
    if errors := errors_of(config):
        raise _report(path, errors)
    return config


def _report(path: Path, errors: list[str]) -> UserError:
    lines = "\n".join(f"  {error}" for error in errors)
    return UserError(f"{path} has {len(errors)} error{'s' * (len(errors) > 1)}; nothing was run:\n{lines}")


def _told(error: ErrorDetails) -> str:
    """One error of the models, in our words."""
    place = ".".join(str(part) for part in error["loc"])
    value = error.get("input")
    shown = "" if isinstance(value, dict | list) else f" (value: {value!r})"
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key{shown}{registry.nearest(error['loc'][-1], _keys_at(error['loc'][:-1]))}"
    if error["type"] == "too_short":
        return f"{place}: is empty, so nothing would be made of it: name at least one"
    if error["type"] == "literal_error":
        valid = [v.strip("' ") for v in error["ctx"]["expected"].replace(" or ", ",").split(",")]
        return f"{place}: {value!r} is not valid{registry.nearest(value, valid)}"
    if error["type"] == "string_type" and isinstance(value, dict) and "method" in value:
        options = value.get("options")
        label = label_of(str(value["method"]), options if isinstance(options, dict) else {})
        return f"{place}: a pruning method is named by its label, as in reports: write {label}"
    if error["type"] == "string_type" and isinstance(value, bool):
        return (
            f"{place}: YAML reads yes, no, on, off, true and false as switches (here {value}); write the name in quotes"
        )
    if error["type"] == "string_type" and (value is None or isinstance(value, int | float)):
        return f"{place}: YAML reads this as {value!r}, not as a name; write it in quotes"
    return f"{place}: {error['msg']}{shown}"


def _keys_at(loc: Iterable[int | str]) -> tuple[str, ...]:
    """The fields at a place of the configuration, found by walking the models' annotations."""
    at: Any = Config
    for part in loc:
        at = _inside(at, part)
    at = _plain(at)
    return tuple(at.model_fields) if _is_model(at) else ()


def _inside(annotation: Any, part: int | str) -> Any:
    """What stands at a key or an index of what an annotation describes."""
    found = _plain(annotation)
    if _is_model(found):
        field = found.model_fields.get(part)
        return field.annotation if field else get_args(get_type_hints(found)["__pydantic_extra__"])[1]
    return get_args(found)[1 if get_origin(found) is dict else 0]


def _plain(annotation: Any) -> Any:
    """An annotation without None."""
    if isinstance(annotation, UnionType):
        return next(one for one in get_args(annotation) if one is not NoneType)
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Closed)
