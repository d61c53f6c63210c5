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
COPIES = ("copy_table", "copy_figure", "copy_report")
COPIED = ("Snakefile", "config.yaml", "docs", "envs", "workflow", "profiles", "slurm", "local", "report", "src")

# Leaves, for everything a study plans, a record with the planned key and one small file (of an exhibit, those of its
# kind), as finished steps would; and the copies of exhibits under the names that users type.
PRETEND = """
import shutil, sys
from audioprune import records
from audioprune.cells.kinds import KINDS
from audioprune.fingerprints import fingerprint
from audioprune.cells.cell import study_folder
from audioprune.planning.exhibits import name_of
from audioprune.planning.plan import Plan
study = sys.argv[1]
for cell in Plan().everything(study).values():
    suffixes = KINDS[cell.kind].files
    with records.cell_folder(cell.dir) as scratch:
        for name in [f"{name_of(cell)}.{suffix}" for suffix in suffixes] or ["data.bin"]:
            (scratch / name).write_text(cell.path)
        record = {"key": cell.key, "kind": cell.kind, "files": records.listing(scratch),
                  "inputs": {name: upstream.key for name, upstream in cell.inputs.items()},
                  "digests": cell.digests,
                  "settings": cell.settings.model_dump(mode="json"), "made": {"versions": {}},
                  **fingerprint.code_record(cell.kind, cell.plugins)}
        records.write_json(scratch / records.RECORD, record)
    if suffixes:
        study_folder(study).mkdir(exist_ok=True)
        for path in cell.dir.glob(f"{name_of(cell)}.*"):
            shutil.copy(path, study_folder(study))
"""

# What the batches of a run hold: {stamp: [path of a cell]}.
BATCHES = """
import json, sys
from audioprune.planning.plan import Plan
from audioprune.planning.run import Run
found = Run(Plan(), lambda: set(sys.argv[1:])).batches.values()
print(json.dumps({str(batch.stamp): [cell.path for cell in batch.cells] for batch in found}))
"""


class Project:
    def __init__(self, root: Path, fresh: bool = True):
        self.root = root
        for name in COPIED if fresh else ():
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "accepted.yaml")  # here, nothing was accepted yet
                shutil.copytree(source, root / name, ignore=ignored)
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
        """{kind of cell: records} that a dry run of the real Snakemake would make, each in a job or a batch.

        Under "copy" stand the copies that it would make of exhibits that are there.
        """
        found = self.run("snakemake", "-n", *options)
        assert found.returncode == 0, found.stdout + found.stderr
        jobs: dict[str, list[str]] = {}
        text = found.stdout + found.stderr
        for _, rule, body in re.findall(r"^( *)(?:local)?rule (\w+):\n((?:\1    .*\n)+)", text, flags=re.MULTILINE):
            taken, made = (re.search(rf"{what}: (.*)", f"{body}{what}: ").group(1) for what in ("input", "output"))
            jobs.setdefault(rule, []).append(f"{taken} -> {made}" if rule in COPIES else made)
        drawn = {name for rule in ("table", "figure", "report", "exhibits") for name in jobs.get(rule, [])}
        copies = [copy.split(" -> ") for rule in COPIES for copy in jobs.pop(rule, [])]
        if there := [made for taken, made in copies if taken.split(", ")[0] not in drawn]:
            jobs["copy"] = there
        stamps = [stamp for rule in ("batch", "transcripts", "exhibits") for stamp in jobs.pop(rule, [])]
        held = self.run(sys.executable, "-c", BATCHES, *(o for o in options if "-" not in o)) if stamps else None
        for stamp in stamps:
            for path in json.loads(held.stdout)[stamp]:
                jobs.setdefault(path.split("/")[0], []).append(f"results/cells/{path}/record.json")
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
