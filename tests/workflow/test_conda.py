"""With `--sdm conda` a step runs with the Python of its rule's environment, else with the one that plans.

In both cases it runs this checkout's code, which no environment contains, and a conda environment that is active around
Snakemake, with a Python of its own in front, does not count.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from . import _conda
from .conftest import ROOT, Project

# As sitecustomize.py: a step says at its end which Python ran it, and from where it took its code.
TELL = """
import atexit, json, os, sys
def tell():
    said = [sys.executable, sys.modules["audioprune"].__file__, os.environ["PYTHONPATH"]]
    open("told.json", "w").write(json.dumps(said))
if any(word.startswith("audioprune.steps.") for word in sys.orig_argv):
    atexit.register(tell)
"""


@pytest.fixture
def around(tmp_path) -> Project:
    """A project in a folder with a space in its name, within an activated base environment of conda."""
    (tmp_path / "a project").mkdir()
    project = Project(tmp_path / "a project")
    (project.root / "src" / "sitecustomize.py").write_text(TELL)
    base = tmp_path / "base"
    _conda.create(ROOT / "envs" / "torch.yaml", base)
    path = f"{_conda.install(base)}:{project.environment['PATH']}"
    project.environment |= {"CONDA_PREFIX": str(base), "PATH": path}
    assert project.run("sh", "-c", "command -v python").stdout.strip() == f"{base}/bin/python"
    return project


def ran(project: Project, *options: str) -> tuple[Path, Path, list[str]]:
    """The Python that made a cell, the file of its `audioprune`, and its PYTHONPATH."""
    cell = next(cell for cell in project.jobs("demo")["generate"] if "/sentences/" in cell)
    record = project.root / "results" / "cells" / cell / "record.json"
    done = project.run("snakemake", str(record.relative_to(project.root)), "--cores", "2", *options)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert json.loads(record.read_text())["results"]["clips"] == 400
    python, package, path = json.loads((project.root / "told.json").read_text())
    return Path(python), Path(package), path.split(":")


def test_a_step_runs_in_the_environment_that_its_rule_names(around):
    python, package, path = ran(around, "--sdm", "conda")
    environment = python.parents[1]
    assert environment.parent == around.root / ".snakemake" / "conda"
    assert environment.with_suffix(".yaml").read_text() == (ROOT / "envs" / "torch.yaml").read_text()
    assert not [*environment.glob("lib/python*/site-packages/*audioprune*")]
    assert package == around.root / "src" / "audioprune" / "__init__.py"
    assert path == [str(around.root / "src")]


def test_without_sdm_conda_a_step_runs_with_the_python_that_plans(around):
    python, package, path = ran(around)
    assert python.parent.resolve() == Path(sys.executable).parent.resolve()
    assert package == around.root / "src" / "audioprune" / "__init__.py"
    assert path == [str(around.root / "src"), around.environment["PYTHONPATH"]]
