"""Private names that cross a package: a name with an underscore is for the package that it stands in.

A package is a folder just below `src/audioprune`, or a loose module there. Found are imports, such as
`from audioprune.a import _b` and `from audioprune.a._b import c`, and attributes, such as `b._c`, of what was imported
from another package. Attributes of objects are not found: that takes types.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

PACKAGE = Path("src/audioprune")


def violations(root: Path) -> list[str]:
    """One line for each private name of another package, wherever it is used."""
    found = []
    for file in sorted((root / PACKAGE).rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        path = file.relative_to(root)
        own = path.relative_to(PACKAGE.parent).with_suffix("").parts  # ("audioprune", package, ..., module)
        found += [f"{path.as_posix()}: private: {name}" for name in _crossing(tree, own)]
    return found


def _crossing(tree: ast.Module, own: tuple[str, ...]) -> Iterator[str]:
    imported = dict(_imported(tree, own))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [name for name in _targets(node, own) if any(map(_private, name.split(".")))]
        elif isinstance(node, ast.Attribute) and _private(node.attr):
            names = [_dotted(node, imported)]
        else:
            continue
        yield from (name for name in names if _elsewhere(name, own))


def _targets(node: ast.Import | ast.ImportFrom, own: tuple[str, ...]) -> list[str]:
    """Dotted names of what one statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = "." * node.level + (node.module or "")
    base = resolve_name(module, ".".join(own[:-1]))
    return [f"{base}.{alias.name}" for alias in node.names]


def _imported(tree: ast.Module, own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(name in this file, dotted name) of everything imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias, target in zip(node.names, _targets(node, own), strict=True):
                if isinstance(node, ast.Import) and not alias.asname:
                    target = target.partition(".")[0]
                    yield target, target
                else:
                    yield alias.asname or alias.name, target


def _dotted(node: ast.expr, imported: dict[str, str]) -> str:
    """`a.b._c` in full, by what `a` was imported from; empty when it was not imported."""
    if isinstance(node, ast.Name):
        return imported.get(node.id, "")
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, imported)
        return base and f"{base}.{node.attr}"
    return ""


def _private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _elsewhere(name: str, own: tuple[str, ...]) -> bool:
    """Whether a dotted name is of this project, and of another package."""
    project, *inner = name.split(".")
    return project == own[0] and inner[:1] != list(own[1:2])
