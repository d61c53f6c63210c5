"""Canonical options of pruning methods: those equal to a default are left out, so one computation has one name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from audioprune.facts.backbone import Family
from audioprune.facts.method import Method, Value


def option_names(build: Callable) -> tuple[str, ...]:
    """Names of the options that a method's `build` takes."""
    return tuple(inspect.signature(build).parameters)[1:]  # after `tokens`


def refusal(facts: Method, build: Callable, name: str, value: object) -> str:
    """What is wrong with the value of an option, by its choices or the kind of its default; empty where nothing is."""
    if name in facts.choices:
        return "" if value in facts.choices[name] else f"{name}={value!r} is none of {', '.join(facts.choices[name])}"
    default = inspect.signature(build).parameters[name].default
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else f"{name}={value!r} is neither true nor false"
    if default is None or isinstance(default, int):
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return "" if whole else f"{name}={value!r} is not a whole number from 0 on"
    fits = isinstance(value, int | float) if isinstance(default, float) else isinstance(value, type(default))
    return "" if fits and not isinstance(value, bool) else f"{name}={value!r} is not like its default {default!r}"


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
