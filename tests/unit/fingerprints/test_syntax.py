"""The text of a syntax tree is the same on every supported Python.

`tests/fixtures/syntax.py.txt` holds every construct of Python 3.11. Its digest was worked out with CPython 3.11.7,
3.12.1 and 3.13.0, which agree; this test works it out with the Python that runs it, and, over the whole of `src`, with
every other CPython from 3.11 on that it finds on this machine.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

from audioprune.fingerprints.syntax import digest_of
from tests import REPOSITORY

FIXTURES = REPOSITORY / "tests" / "fixtures"
RECORDED = "b995e285d5c5ed64120f7946c2e81458d1fcb45971b8e31360d58001d7cf8387"
SCRIPT = """
import ast, sys
from pathlib import Path
from audioprune.fingerprints.syntax import digest_of
for path in sys.argv[1:]:
    print(digest_of(ast.parse(Path(path).read_text(encoding="utf-8"))))
"""


def pythons() -> list[str]:
    """Interpreters of Python 3.11 and newer: those on the path, those of pyenv, and the one that runs this."""
    found = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    found += sorted(map(str, (Path.home() / ".pyenv" / "versions").glob("3.*/bin/python")))
    return list(dict.fromkeys([sys.executable, *filter(None, found)]))


def version(python: str) -> tuple[int, ...]:
    found = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
    text = re.match(r"Python (\d+)\.(\d+)", found.stdout)
    return tuple(map(int, text.groups())) if text and found.returncode == 0 else (0, 0)


def test_all_syntax_has_the_digest_that_was_recorded():
    assert digest_of(ast.parse((FIXTURES / "syntax.py.txt").read_text(encoding="utf-8"))) == RECORDED


def test_every_python_here_gives_the_code_the_same_digests():
    paths = [FIXTURES / "syntax.py.txt", *sorted((REPOSITORY / "src").rglob("*.py"))]
    wanted = [digest_of(ast.parse(path.read_text(encoding="utf-8"))) for path in paths]
    assert len(set(wanted)) > 100
    for python in pythons():
        if version(python) >= (3, 11):
            command = [python, "-c", SCRIPT, *map(str, paths)]
            found = subprocess.run(
                command, env={"PYTHONPATH": str(REPOSITORY / "src")}, capture_output=True, text=True, check=True
            )
            assert found.stdout.split() == wanted, python
