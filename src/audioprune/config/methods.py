"""Pruning methods as config.yaml names them, by their labels: topk, topk.cls, intensity.as_released, tome.r5.

A label is what audioprune.labels prints. After the method's name stands, for each option that is given,

    a word     of the option that has it among its `choices` (facts.method), else of the one whose default is a word
    r5         an option's name and a number
    seed3
    no-x, x    an option that is a switch, off and on: no-proportional, proportional
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from audioprune import registry
from audioprune.errors import UserError
from audioprune.facts.options import canonical, option_names
from audioprune.labels import method_label
from audioprune.settings.closed import OptionValue
from audioprune.settings.model import Pruning

SEPARATOR = re.compile(r"\.(?!\d)")  # the point of a number separates nothing
WORD = re.compile(r"[A-Za-z]\w*", re.ASCII)
WHOLE = re.compile(r"\d+", re.ASCII)
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Method:
    """A pruning method with the options that are given."""

    name: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return label_of(self.name, self.options)


def label_of(name: str, options: Mapping[str, OptionValue]) -> str:
    """The label of a method, of which it is not asked whether it exists."""
    return method_label(Pruning.model_construct(method=name, options=dict(options)))


def parse_label(label: str) -> Method:
    """The method that a label names; raises UserError with the nearest valid label."""
    name, *words = SEPARATOR.split(label)
    if name not in (valid := registry.names("pruning")):
        raise UserError(f"no method named {name!r}{registry.nearest(name, valid)}")
    options: dict[str, OptionValue] = {}
    for place, word in enumerate(words):
        found = next(_readings(name, word), None)
        if found is None:
            before = ".".join([name, *words[:place]]) + "."
            near = registry.nearest(word, words_of(name, word), before=before)
            raise UserError(f"{label!r}: {name} has no option {word!r}{near}")
        option, value = found
        if option in options:
            raise UserError(f"{label!r} gives {name}'s option {option!r} twice")
        options[option] = value
    return Method(name, options)


def methods_of(backbone: str, labels: Iterable[str]) -> tuple[Method, ...]:
    """Methods with the options that differ from their defaults for this backbone, each once."""
    family, found = registry.backbone(backbone).family, []
    for method in map(parse_label, labels):
        options = canonical(method.options, registry.get("pruning", method.name).build, family)
        found.append(Method(method.name, options))
    return tuple(method for i, method in enumerate(found) if method not in found[:i])


def examples() -> tuple[str, ...]:
    """The label of every method without options and with one, for who has to be told what there is."""
    return tuple(
        label for name in registry.names("pruning") for label in (name, *(f"{name}.{word}" for word in words_of(name)))
    )


def words_of(name: str, like: str = "") -> tuple[str, ...]:
    """What may follow a method's name, one option at a time; its numbers are the one in `like`, or their default."""
    given = WHOLE.search(like)
    found: list[str] = []
    for option, default in options_of(name).items():
        if choices := registry.method(name).choices.get(option):
            found += choices
        elif isinstance(default, bool):
            found += [option, f"no-{option}"]
        else:
            number = given.group() if given else default or 1
            found.append(default if isinstance(default, str) else f"{option}{number}")
    return tuple(found)


def _readings(name: str, word: str) -> Iterator[tuple[str, OptionValue]]:
    """(option, value) of every reading of a word of a label, the surest first."""
    choices, free = registry.method(name).choices, []
    for option, default in options_of(name).items():
        if option in choices:
            if word in choices[option]:
                yield option, word
        elif isinstance(default, bool):
            if word in (option, f"no-{option}"):
                yield option, word == option
        elif isinstance(default, str):
            free.append(option)
        elif word.startswith(option):
            number = word.removeprefix(option)
            if isinstance(default, float) and NUMBER.fullmatch(number):
                yield option, float(number)
            elif not isinstance(default, float) and WHOLE.fullmatch(number):
                yield option, int(number)
    if WORD.fullmatch(word):
        yield from ((option, word) for option in free)


def options_of(name: str) -> dict[str, object]:
    """{option: default} of a method by itself; None where that is the backbone's or nothing."""
    build = registry.get("pruning", name).build
    return {option: inspect.signature(build).parameters[option].default for option in option_names(build)}
