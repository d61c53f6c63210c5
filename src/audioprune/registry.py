"""Pluggable modules, found by file name: datasets, generators, backbones, pruning, tables, figures, steps, commands.

A name as users write it (`fsdd-digits`, `audiomae-tiny`) maps to the module `fsdd_digits`, `audiomae`: hyphens become
underscores, and a backbone's size suffix is taken off. Files with a leading underscore are machinery and have no name.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

from audioprune.facts.backbone import SIZES, Backbone, Family
from audioprune.facts.dataset import Dataset
from audioprune.facts.method import Method

PACKAGE = Path(__file__).parent
LISTED = 40  # valid names in a message


@cache
def names(kind: str) -> tuple[str, ...]:
    """Names of all modules of `kind`, with hyphens, sorted; backbones are listed once for each size."""
    stems = sorted(p.stem.replace("_", "-") for p in (PACKAGE / kind).glob("[!_]*.py"))
    if kind == "backbones":
        return tuple(f"{stem}-{size}" for stem in stems for size in SIZES)
    return tuple(stems)


def module_name(kind: str, name: str) -> str:
    """Dotted module of a pluggable thing, without importing it; raises ValueError naming the nearest valid name."""
    if name not in names(kind):
        raise ValueError(f"no {kind} named {name!r}{nearest(name, names(kind))}")
    stem = name.rpartition("-")[0] if kind == "backbones" else name
    return f"audioprune.{kind}.{stem.replace('-', '_')}"


def get(kind: str, name: str) -> ModuleType:
    """Import and return a pluggable module."""
    return importlib.import_module(module_name(kind, name))


@cache
def backbone(name: str) -> Backbone:
    """Facts of a backbone by name: its family's, and its size's."""
    return Backbone(name, get("backbones", name).FACTS, SIZES[name.rpartition("-")[2]])


def families() -> tuple[str, ...]:
    """Names of the families of backbones."""
    return tuple(dict.fromkeys(name.rpartition("-")[0] for name in names("backbones")))


def family_module(name: str) -> ModuleType:
    """The module of a family of backbones by its own name, without a size."""
    return get("backbones", f"{name}-{next(iter(SIZES))}")


def family(name: str) -> Family:
    """Facts of a family of backbones by its own name."""
    return family_module(name).FACTS


def method(name: str) -> Method:
    """Facts of a pruning method by name."""
    return get("pruning", name).FACTS


def policies() -> tuple[str, ...]:
    """Names of what prunes a recogniser's encoder: policies, and pruning methods that run on frames too."""
    return (*names("policies"), *(one for one in names("pruning") if "frames" in method(one).runs_on))


def policy_module(name: str) -> ModuleType:
    """The module of what prunes a recogniser's encoder."""
    return get("policies" if name in names("policies") else "pruning", name)


def dataset(name: str) -> Dataset:
    """Facts of a built-in dataset by name."""
    return get("datasets", name).FACTS


def nearest(name: object, valid: Iterable, before: str = "") -> str:
    """'; did you mean ...?' for messages, or the list of valid names when nothing is near; `before` stands before each.

    Nothing where no name is valid.
    """
    valid = sorted(map(str, valid))
    close = difflib.get_close_matches(str(name), valid, n=1, cutoff=0.5)
    if not valid:
        return ""
    if close:
        return f"; did you mean {before + close[0]!r}?"
    more = f" and {len(valid) - LISTED} more" if len(valid) > LISTED else ""
    return f"; valid names: {', '.join(before + v for v in valid[:LISTED])}{more}"
