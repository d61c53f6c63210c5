"""A copy of the project in a temporary folder, in which the real Snakemake is asked what it would run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTED = ("batch", "sheet")  # rules whose jobs make what a list says
COPIED = ("Snakefile", "config.yaml", "workflow", "profiles", "slurm", "local", "report", "src")

# Leaves, for everything a study plans, a record with the planned key and one small file, as finished steps would.
PRETEND = """
import sys
from audioprune import records
from audioprune.planning import fingerprint
from audioprune.planning import plan as planning
plan = planning.Plan(main=False)
for cell in plan.study(sys.argv[1]).all.values():
    with records.cell_folder(cell.dir) as scratch:
        (scratch / "data.bin").write_text(cell.path)
        record = {"key": cell.key, "kind": cell.kind, "files": records.listing(scratch),
                  "inputs": {name: upstream.key for name, upstream in cell.inputs.items()},
                  "settings": cell.settings.model_dump(mode="json"), "made": {"versions": {}},
                  **fingerprint.code_record(cell.kind, cell.plugins)}
        records.write_json(scratch / records.RECORD, record)
study = sys.argv[1]
for kind, name in [*plan.exhibits(study), ("report", "report")]:
    for suffix in planning.SUFFIXES[kind]:
        records.write_text(planning.study_folder(study) / f"{name}.{suffix}", name)
    key = plan.exhibit_key(study, kind, name)
    planning.write_exhibit_record(study, kind, name, key, {}, {})
"""


class Project:
    def __init__(self, root: Path, fresh: bool = True):
        self.root = root
        for name in COPIED if fresh else ():
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, root / name)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AUDIOPRUNE", "SNAKEMAKE"))},
            "PYTHONPATH": str(root / "src"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def copy(self, root: Path) -> Project:
        """The same project with all that it made, elsewhere; what Snakemake itself remembers stays behind."""
        shutil.copytree(self.root, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".snakemake", "__pycache__"))
        return Project(root, fresh=False)

    def jobs(self, target: str) -> dict[str, list[str]]:
        """{kind: cells or exhibits} that `audioprune plan` lists."""
        found = self.run("audioprune", "plan", target, "--json")
        assert found.returncode == 0, found.stderr
        jobs: dict[str, list[str]] = {}
        for job in json.loads(found.stdout)["jobs"]:
            jobs.setdefault(job["stage"], []).append(job["cell"])
        return jobs

    def run(self, *command: str, seconds: int = 240) -> subprocess.CompletedProcess:
        return subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False, timeout=seconds
        )

    def planned(self, *options: str) -> dict[str, list[str]]:
        """{rule: outputs} of the jobs that a dry run of the real Snakemake lists, with what batches and sheets hold."""
        found = self.run("snakemake", "-n", *options)
        assert found.returncode == 0, found.stdout + found.stderr
        jobs: dict[str, list[str]] = {}
        text = found.stdout + found.stderr
        for _, rule, body in re.findall(r"^( *)(?:local)?rule (\w+):\n((?:\1    .*\n)+)", text, flags=re.MULTILINE):
            output = re.search(r"output: (.*)", body + "output: ").group(1)
            listed = json.loads((self.root / output).with_suffix(".json").read_text()) if rule in LISTED else {}
            if rule == "batch":
                for cell in listed["cells"]:
                    jobs.setdefault(cell["kind"], []).append(f"{cell['out']}/record.json")
            elif rule == "sheet":
                for study, kind, name, _ in listed["exhibits"]:
                    jobs.setdefault(kind, []).append(f"{study} {name}")
            else:
                jobs.setdefault(rule, []).append(output)
        return {rule: outputs for rule, outputs in jobs.items() if rule not in ("all", "demo", "mini")}

    def pretend(self, study: str) -> None:
        """Everything that `study` plans, finished."""
        done = self.run(sys.executable, "-c", PRETEND, study)
        assert done.returncode == 0, done.stderr

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    def cells(self, pattern: str) -> list[Path]:
        return sorted((self.root / "results" / "cells").glob(pattern))


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Project:
    """A project with all of `demo` finished, to be copied, never changed."""
    project = Project(tmp_path_factory.mktemp("made"))
    project.pretend("demo")
    return project


@pytest.fixture
def finished(made, tmp_path) -> Project:
    """A copy of the project with all of `demo` finished."""
    return made.copy(tmp_path / "copy")
