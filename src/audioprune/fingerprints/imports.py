"""Which modules of this package a module imports from, read from its syntax tree.

Followed are its imports, those inside functions too, and the facts that it gets by name from the registry, which is
itself in no fingerprint. What cannot be followed is refused by a test: relative and star imports, whole packages,
modules loaded by a name that is worked out, code in a package's __init__.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from audioprune.registry import PACKAGE

REGISTRY = "audioprune.registry"


def module_path(module: str) -> Path | None:
    """The file of a module of this package, or None."""
    parts = module.split(".")
    if parts[0] != "audioprune":
        return None
    base = PACKAGE.joinpath(*parts[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file() and len(parts) > 1:
            return path
    return PACKAGE / "__init__.py" if len(parts) == 1 else None


def tree_of(module: str) -> ast.Module:
    path = module_path(module)
    if path is None:
        raise ValueError(f"no module named {module!r}")
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.Module) -> frozenset[str]:
    """The modules of this package that are imported anywhere in a module, and those of the facts it asks for."""
    return frozenset(name for node in ast.walk(tree) for name in _imported(node) if module_path(name))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        for alias in node.names:
            deeper = f"{node.module}.{alias.name}"
            yield deeper if module_path(deeper) else node.module
            yield facts_given().get(alias.name, "") if node.module == REGISTRY else ""
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "registry":
        yield facts_given().get(node.attr, "")


@cache
def facts_given() -> dict[str, str]:
    """{function of the registry: module of the facts that it returns}, by its annotation."""
    origin: dict[str, str] = {}
    found: dict[str, str] = {}
    for node in tree_of(REGISTRY).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            origin |= {alias.name: node.module for alias in node.names}
        elif isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name):
            found[node.name] = origin.get(node.returns.id, "")
    return {name: module for name, module in found.items() if module_path(module)}
