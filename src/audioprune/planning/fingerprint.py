"""Fingerprints of code: what a step's results depend on, whatever Python reads it and however it is formatted.

A module's hash is over our own serialisation of its syntax tree, without docstrings, comments and formatting
(`ast.dump` differs between Python versions). A step's fingerprint covers the step, every module of this package that
it imports, function-level imports included, and of the pluggable modules only those that the cell names. Modules that
change no number (command line, configuration, keys, records, ...) are declared out; a hand-kept version for each kind
of record stands in for them.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from audioprune.registry import PACKAGE

# Raise a kind's number when a declared-out module changes what its cells hold.
VERSIONS = {
    "fetch": 1, "generate": 1, "audio": 1, "features": 1, "pretrain": 1, "finetune": 1, "evaluate": 1, "trace": 1,
    "discard": 1, "macs": 1, "throughput": 1, "table": 1, "figure": 1, "report": 1,
}  # fmt: skip

DECLARED_OUT = (
    "audioprune",
    "audioprune.config",
    "audioprune.settings",
    "audioprune.sources",
    "audioprune.manifest",
    "audioprune.records",
    "audioprune.registry",
    "audioprune.progress",
    "audioprune.provenance",
    "audioprune.errors",
    "audioprune.cli",
    "audioprune.planning",
    "audioprune.steps._run",
)


def serialise(node) -> str:
    """A syntax tree as text, the same on every supported Python: empty and absent fields are left out."""
    if isinstance(node, ast.AST):
        fields = []
        for name, value in ast.iter_fields(node):
            if name == "body" and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                value = value[1:] if ast.get_docstring(node, clean=False) is not None else value
            if value is None or value == [] or name in ("kind", "type_comment", "type_ignores"):
                continue
            fields.append(f"{name}={serialise(value)}")
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(serialise, node))}]"
    return repr(node)


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


@cache
def _parsed(module: str) -> tuple[str, frozenset[str]]:
    """(hash, modules of this package imported anywhere in it)."""
    tree = ast.parse(module_path(module).read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                imported.add(deeper if module_path(deeper) else node.module)
    digest = hashlib.sha256(serialise(tree).encode()).hexdigest()
    return digest, frozenset(name for name in imported if module_path(name))


def _out(module: str) -> bool:
    return any(module == out or (out != "audioprune" and module.startswith(out + ".")) for out in DECLARED_OUT)


@cache
def closure(roots: tuple[str, ...]) -> dict[str, str]:
    """{module: hash} of the roots and everything of this package that they import, declared-out modules left out."""
    found: dict[str, str] = {}
    todo = [module for module in roots if not _out(module)]
    while todo:
        module = todo.pop()
        if module in found:
            continue
        found[module], imported = _parsed(module)
        todo += [name for name in imported if name not in found and not _out(name)]
    return dict(sorted(found.items()))


@cache
def fingerprint(kind: str, plugins: tuple[str, ...] = ()) -> str:
    """Fingerprint of a step with the pluggable modules (dotted names) that its cell names."""
    return digest(kind, closure((f"audioprune.steps.{kind}", *sorted(plugins))).items())


def digest(kind: str, modules: Iterable[tuple[str, str]]) -> str:
    lines = [f"{kind} {VERSIONS[kind]}", *(f"{module} {value}" for module, value in modules)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
