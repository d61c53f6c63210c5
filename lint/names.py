"""What a name in a file of src stands for, by the file's imports: the dotted name of where it comes from."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from importlib.util import resolve_name
from pathlib import Path

PACKAGE = Path("src/audioprune")


def modules(root: Path) -> Iterator[tuple[Path, tuple[str, ...], ast.Module]]:
    """(path from the root, ("audioprune", package, ..., module), syntax tree) of every file of src, in order."""
    for file in sorted((root / PACKAGE).rglob("*.py")):
        path = file.relative_to(root)
        own = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield path, own, ast.parse(file.read_text(encoding="utf-8"))


def targets(node: ast.Import | ast.ImportFrom, own: tuple[str, ...]) -> list[str]:
    """Dotted names of what one statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = "." * node.level + (node.module or "")
    base = resolve_name(module, ".".join(own[:-1]))
    return [f"{base}.{alias.name}" for alias in node.names]


def imported(tree: ast.Module, own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(name in this file, dotted name) of everything imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias, target in zip(node.names, targets(node, own), strict=True):
                if isinstance(node, ast.Import) and not alias.asname:
                    target = target.partition(".")[0]
                    yield target, target
                else:
                    yield alias.asname or alias.name, target


def dotted(node: ast.AST, scope: Mapping[str, str]) -> str:
    """`a.b.c` in full, by what `a` stands for; empty when that is nothing that we know."""
    if isinstance(node, ast.Name):
        return scope.get(node.id, "")
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, scope)
        return base and f"{base}.{node.attr}"
    return ""
