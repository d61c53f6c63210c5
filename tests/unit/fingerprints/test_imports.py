"""What a fingerprint follows, and that nothing in src is written so that it could not be followed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from audioprune.fingerprints.imports import facts_given, imports_of, module_path
from audioprune.registry import PACKAGE

LOADERS = {"importlib", "runpy", "pkgutil", "zipimport", "imp"}  # modules that load others by name
BUILT_IN = {"__import__", "exec", "eval", "compile"}
MAY_LOAD = {
    "registry.py": "plugins, which a cell or an exhibit names",
    "cli/doctor.py": "asks whether a library is there, and loads none",
}
SOURCES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def faults(name: str, text: str) -> list[str]:
    """What a fingerprint cannot follow in a file of src/audioprune."""
    tree = ast.parse(text)
    found = [f"{name}:{node.lineno}: {fault}" for node in ast.walk(tree) for fault in _faults(name, node)]
    if name.endswith("__init__.py") and name != "__init__.py":
        code = [node for node in tree.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
        found += [f"{name}:{node.lineno}: code in a package's __init__.py" for node in code]
    return found


def _faults(name: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        if node.level:
            yield "a relative import; write from audioprune.... import ..."
            return
        if any(alias.name == "*" for alias in node.names):
            yield "a star import; name what is imported"
        taken = [f"{node.module}.{a.name}" for a in node.names if module_path(f"{node.module}.{a.name}")]
        yield from map(_whole, filter(_is_package, taken or [node.module]))
        if any(a.asname for a in node.names if f"{node.module}.{a.name}" == "audioprune.registry"):
            yield "the registry by another name; import it as registry"
    elif isinstance(node, ast.Import):
        for alias in node.names:
            own = alias.name.partition(".")[0] == "audioprune"
            if own and (_is_package(alias.name) or not alias.asname or alias.name == "audioprune.registry"):
                yield _whole(alias.name)
    if name not in MAY_LOAD:
        yield from (f"{word}: only the registry loads modules by name" for word in _loads(node))


def _loads(node: ast.AST) -> Iterator[str]:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Name) and node.id in BUILT_IN:
        yield node.id
    for name in names:
        if name.partition(".")[0] in LOADERS and not name.startswith("importlib.metadata"):
            yield name


def _is_package(module: str | None) -> bool:
    path = module_path(module or "")
    return path is not None and path.name == "__init__.py"


def _whole(module: str) -> str:
    return f"{module} as a whole; import what is used of it: from {module} import ..."


@pytest.mark.parametrize("name", SOURCES)
def test_a_fingerprint_can_follow_all_of_src(name):
    assert faults(name, (PACKAGE / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("training/x.py", "from . import batches", "relative"),
        ("training/x.py", "from ..audio import augment as ops", "relative"),
        ("training/x.py", "def f():\n    from .batches import seed_of", "relative"),
        ("training/x.py", "import importlib\nops = importlib.import_module('audioprune.audio.augment')", "importlib"),
        ("training/x.py", "from importlib import import_module", "importlib"),
        ("training/x.py", "import importlib.util", "importlib"),
        ("training/x.py", "import runpy", "runpy"),
        ("training/x.py", "ops = __import__('audioprune.audio.augment')", "__import__"),
        ("training/x.py", "exec('x = 1')", "exec"),
        ("training/x.py", "x = eval('1')", "eval"),
        ("training/x.py", "load = eval", "eval"),
        ("training/x.py", "from audioprune.audio.augment import *", "star"),
        ("training/x.py", "from audioprune.audio import *", "star"),
        ("training/x.py", "from audioprune import audio", "as a whole"),
        ("training/x.py", "import audioprune", "as a whole"),
        ("training/x.py", "import audioprune.audio as sound", "as a whole"),
        ("training/x.py", "import audioprune.audio.augment", "as a whole"),
        ("training/x.py", "from audioprune.audio import nothing_of_that_name", "as a whole"),
        ("training/x.py", "from audioprune import registry as named", "another name"),
        ("audio/__init__.py", '"""Sound."""\nSHIFT = 1', "__init__"),
        ("audio/__init__.py", "from audioprune.audio.augment import roll", "__init__"),
    ],
)
def test_what_cannot_be_followed_is_refused(name, text, fault):
    assert any(fault in found for found in faults(name, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("training/x.py", "from audioprune.audio import augment as ops\nimport audioprune.audio.augment as again"),
        ("training/x.py", "from audioprune import records, registry\nfrom importlib import metadata\nmodel.eval()"),
        ("training/x.py", "import re\nPATTERN = re.compile('a')"),
        ("audio/__init__.py", '"""Sound."""\n'),
        ("registry.py", "import importlib"),
        ("__init__.py", "__version__ = '0.1.0'"),
    ],
)
def test_what_can_be_followed_is_not_refused(name, text):
    assert faults(name, text) == []


@pytest.mark.parametrize(
    ("text", "followed"),
    [
        ("from audioprune.audio import augment as ops", {"audioprune.audio.augment"}),
        ("def f():\n    from audioprune.audio.fbank import log_mel", {"audioprune.audio.fbank"}),
        ("if TYPE_CHECKING:\n    import audioprune.audio.store as s", {"audioprune.audio.store"}),
        ("import numpy\nfrom pathlib import Path", set()),
        ("from audioprune import registry\nregistry.names('pruning')", {"audioprune.registry"}),
        ("from audioprune import registry\nregistry.get('pruning', m).build", {"audioprune.registry"}),
        ("from audioprune import registry\nregistry.backbone(b)", {"audioprune.registry", "audioprune.facts.backbone"}),
        ("from audioprune.registry import method", {"audioprune.registry", "audioprune.facts.method"}),
    ],
)
def test_imports_and_the_facts_that_are_asked_for_are_followed(text, followed):
    assert imports_of(ast.parse(text)) == followed


def test_the_registry_gives_facts_of_every_kind():
    given = facts_given()
    assert given["backbone"] == given["family"] == "audioprune.facts.backbone"
    assert (given["method"], given["dataset"]) == ("audioprune.facts.method", "audioprune.facts.dataset")
    assert not {"names", "get", "nearest", "module_name"} & set(given)
