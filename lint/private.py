"""Private names that cross a package: a name with an underscore is for the package that it stands in.

A package is a folder just below `src/audioprune`, or a loose module there. Found are imports, such as
`from audioprune.a import _b` and `from audioprune.a._b import c`, and attributes, such as `b._c`, of what was imported
from another package. Attributes of objects are not found: that takes types.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from lint.names import dotted, imported, modules, targets


def violations(root: Path) -> list[str]:
    """One line for each private name of another package, wherever it is used."""
    return [f"{path.as_posix()}: private: {name}" for path, own, tree in modules(root) for name in _crossing(tree, own)]


def _crossing(tree: ast.Module, own: tuple[str, ...]) -> Iterator[str]:
    scope = dict(imported(tree, own))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [name for name in targets(node, own) if any(map(_private, name.split(".")))]
        elif isinstance(node, ast.Attribute) and _private(node.attr):
            names = [dotted(node, scope)]
        else:
            continue
        yield from (name for name in names if _elsewhere(name, own))


def _private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _elsewhere(name: str, own: tuple[str, ...]) -> bool:
    """Whether a dotted name is of this project, and of another package."""
    project, *inner = name.split(".")
    return project == own[0] and inner[:1] != list(own[1:2])
