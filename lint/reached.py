"""Functions and classes of src that nothing reaches, each told apart by the module that it comes from.

Vulture goes by name: a function `slope` is used wherever anything is called slope, and what only unused code calls is
used. Here names are followed to their modules. Reached is what a module runs when it is imported, what users name that
are not Python, and whatever these name in turn. In a module that is found by its file's name, or handed on as a value,
reached is also what any code looks up: what stands behind the dot of an object, or as a word in quotes.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from lint.names import dotted, imported, modules

# Packages whose modules the registry finds by their files' names, but for those with an underscore.
FOUND_BY_NAME = {"backbones", "cli", "datasets", "figures", "forensics"}
FOUND_BY_NAME |= {"generators", "policies", "predicates", "pruning", "recognisers", "steps", "tables"}


@dataclass
class Named:
    """What some code names."""

    definitions: set[str] = field(default_factory=set)  # dotted, of src or not
    looked_up: set[str] = field(default_factory=set)
    handed_on: set[str] = field(default_factory=set)  # dotted, modules or not


@dataclass
class Source:
    """All of src by dotted names."""

    modules: set[str] = field(default_factory=set)
    imports: dict[str, str] = field(default_factory=dict)  # what a module calls something: where it comes from
    definitions: dict[str, Named] = field(default_factory=dict)  # functions, classes, constants: what they name
    code: set[str] = field(default_factory=set)  # those of them that are functions and classes
    run: Named = field(default_factory=Named)  # by importing


def unreached(root: Path, users: Collection[str], kept: Collection[str] = ()) -> set[str]:
    """Dotted names without the package's, such as `tokens.overlap.jaccard`.

    users: names by which files that are not Python use something. kept: such names as are returned; they and what they
    use count as reached.
    """
    source = read(root)
    everything = [source.run, *source.definitions.values()]
    looked_up = set(users).union(*(named.looked_up for named in everything))
    handed_on = source.run.handed_on.union(*(named.handed_on for named in everything))
    looked_into = {module for module in source.modules if module in handed_on or _found_by_name(module)}

    def entry(name: str) -> bool:
        module, _, own = name.rpartition(".")
        by_python = own.startswith("__")  # such as a module's __getattr__
        return by_python or own in users or (own in looked_up and module in looked_into) or _short(name) in kept

    reached: set[str] = set()
    ahead = source.run.definitions | set(filter(entry, source.definitions))
    while ahead:
        new = {_origin(name, source) for name in ahead} & set(source.definitions) - reached
        reached |= new
        ahead = set().union(*(source.definitions[name].definitions for name in new))
    return {_short(name) for name in source.code - reached}


def read(root: Path) -> Source:
    source = Source()
    for _, own, tree in modules(root):
        name = ".".join(own).removesuffix(".__init__")
        source.modules.add(name)
        scope = dict(imported(tree, own))
        source.imports |= {f"{name}.{alias}": target for alias, target in scope.items()}
        defined = [(f"{name}.{one}", node) for node in tree.body for one in _defined(node)]
        scope |= {full.rpartition(".")[2]: full for full, _ in defined}
        for full, node in defined:
            _add(node, scope, source.definitions.setdefault(full, Named()))
            source.code |= {full} if isinstance(node, ast.FunctionDef | ast.ClassDef) else set()
        for node in tree.body:
            if not _defined(node) and not isinstance(node, ast.Import | ast.ImportFrom):
                _add(node, scope, source.run)
    for full, named in source.definitions.items():
        named.definitions.discard(full)  # recursion is no use
    return source


def _defined(node: ast.stmt) -> list[str]:
    """Names that one statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        places = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [one.id for place in places for one in ast.walk(place) if isinstance(one, ast.Name)]
    return []


def _add(node: ast.stmt, scope: dict[str, str], named: Named) -> None:
    """To `named`, what one statement names."""
    below = {id(one.value) for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.isidentifier():
            named.looked_up.add(one.value)
        if isinstance(one, ast.Name | ast.Attribute):
            full = dotted(one, scope)
            named.definitions.add(full)
            if isinstance(one, ast.Attribute) and not full:
                named.looked_up.add(one.attr)
            if id(one) not in below:
                named.handed_on.add(full)


def _found_by_name(module: str) -> bool:
    package, _, name = _short(module).partition(".")
    return package in FOUND_BY_NAME and bool(name) and not name.startswith("_")


def _short(name: str) -> str:
    return name.partition(".")[2]


def _origin(name: str, source: Source) -> str:
    """Where a name that a module has imported, and another takes from there, was defined."""
    seen = set()
    while name not in source.definitions and name not in seen:
        seen.add(name)
        name = source.imports.get(name, name)
    return name
