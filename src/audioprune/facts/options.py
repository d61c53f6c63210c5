"""Options of pruning methods in one form: what equals its default is left out, so that one computation has one name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from audioprune.facts.backbone import Family
from audioprune.facts.method import Value


def option_names(build: Callable) -> tuple[str, ...]:
    """Names of the options that a method's `build` takes."""
    return tuple(inspect.signature(build).parameters)[1:]  # after `tokens`


def defaults(build: Callable, family: Family) -> dict[str, object]:
    """{option: default} of a method's `build` for a family of backbones.

    An option whose default is None has the family's fact of that name, where there is one (topk: score); else nothing.
    """
    given = {name: inspect.signature(build).parameters[name].default for name in option_names(build)}
    return {name: getattr(family, name, None) if value is None else value for name, value in given.items()}


def canonical(options: Mapping[str, Value], build: Callable, family: Family) -> dict[str, Value]:
    """The options that differ from their defaults; unknown ones stay, for `build` to refuse."""
    known = defaults(build, family)
    return {name: value for name, value in options.items() if name not in known or not _same(value, known[name])}


def _same(value: object, default: object) -> bool:
    """Equal and of one kind: True is not 1."""
    return value == default and isinstance(value, bool) == isinstance(default, bool)
