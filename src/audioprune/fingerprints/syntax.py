"""Source code as text that is the same on every supported Python, and its hash. Standard library only."""

from __future__ import annotations

import ast
import hashlib


def serialise(node: object) -> str:
    """A syntax tree as text, the same on every supported Python: empty and absent fields are left out.

    Docstrings are left out, too; comments and layout are not in the tree.
    """
    if isinstance(node, ast.AST):
        fields = []
        for name, value in ast.iter_fields(node):
            if name == "body" and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                value = value[1:] if ast.get_docstring(node, clean=False) is not None else value
            if isinstance(node, ast.JoinedStr):  # Python 3.12 ends some format specifications with an empty text
                value = [part for part in value if not (isinstance(part, ast.Constant) and part.value == "")]
            if value is None or value == [] or name in ("kind", "type_comment", "type_ignores"):
                continue
            fields.append(f"{name}={serialise(value)}")
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(serialise, node))}]"
    return ascii(node)  # repr depends on which characters a Python knows to be printable


def digest_of(tree: ast.AST) -> str:
    return hashlib.sha256(serialise(tree).encode()).hexdigest()
