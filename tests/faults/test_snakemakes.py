"""Snakemake itself killed while its job runs on, started again, and two of them at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..workflow.conftest import Project
from ..workflow.test_end_to_end import edit_yaml, of_one_grid
from ._chain import FOLDER, tones, wait_for


@dataclass
class Run:
    process: subprocess.Popen
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def ended(self, seconds: float = 300) -> str:
        self.process.wait(timeout=seconds)
        return self.said()


class Tree:
    """A copy of the project with one fine-tuning of tones to make."""

    def __init__(self, root: Path):
        self.project, self.runs = Project(root), 0
        tones(root / "tones")

        def add(data):
            data["datasets"] = {"tones": FOLDER | {"classes": list(FOLDER["classes"])}}
            grid = {"backbones": ["audiomae-tiny"], "datasets": ["tones"], "keep_rates": [0.5], "initial": "scratch"}
            data["studies"]["tones"] = of_one_grid(data["studies"]["demo"], grid)

        edit_yaml(self.project, add)
        assert self.project.run("audioprune", "index", "tones").returncode == 0
        jobs = json.loads(self.project.run("audioprune", "plan", "tones", "--json").stdout)["jobs"]
        (cell,) = [job["cell"] for job in jobs if job["stage"] == "finetune"]
        self.key, self.target = cell.rsplit("/", 1)[1], f"results/cells/{cell}/record.json"
        self.record = root / self.target

    def start(self, *options: str) -> Run:
        self.runs += 1
        output = self.project.root / f"{self.runs}.txt"
        with open(output, "w") as file:
            command = ["snakemake", "--cores", "2", self.target, *options]
            process = subprocess.Popen(
                command, cwd=self.project.root, env=self.project.environment, stdout=file, stderr=file
            )
        return Run(process, output)

    def stopped_step(self, run: Run) -> int:
        """Number of the process that fine-tunes, stopped as soon as it holds its lease."""
        lease = self.project.root / "results" / "logs" / "leases" / f"{self.key}.0"
        wait_for(lambda: lease.exists() and lease.read_text().endswith("\n"), run.process)
        pid = json.loads(lease.read_text())["pid"]
        os.kill(pid, signal.SIGSTOP)
        return pid

    def bits(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.record.parent.glob("*.safetensors")}


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Tree:
    return Tree(tmp_path_factory.mktemp("tree"))


def test_two_at_once_then_one_killed_and_started_again(tree):
    first = tree.start()
    step = tree.stopped_step(first)
    second = tree.start()
    refusal = second.ended()
    assert second.process.returncode != 0
    assert f"Snakemake (process {first.process.pid} on {os.uname().nodename}) is already running" in refusal

    first.process.kill()  # its job does not end with it
    first.process.wait()
    third = tree.start()
    wait_for(lambda: f"is being made by process {step} on" in third.said(), third.process)
    os.kill(step, signal.SIGCONT)
    said = third.ended()
    assert third.process.returncode == 0, said
    assert "was finished by another process after this job was planned; it is not made again" in said
    record = json.loads(tree.record.read_text())
    assert not list((tree.project.root / "results" / "logs" / "leases").iterdir())

    before = tree.bits()
    forced = tree.start("--forcerun", "finetune")  # made again, though a copy of its record was there
    said = forced.ended()
    assert forced.process.returncode == 0, said
    assert json.loads(tree.record.read_text())["made"]["started"] > record["made"]["started"]
    assert tree.bits() == before != {}


def test_a_job_that_ends_after_its_snakemake_was_killed_is_not_done_again(tree):
    tree.record.unlink()
    first = tree.start()
    step = tree.stopped_step(first)
    first.process.kill()
    first.process.wait()
    os.kill(step, signal.SIGCONT)
    wait_for(tree.record.exists)
    made = tree.record.read_text()
    again = tree.start()
    said = again.ended()
    assert again.process.returncode == 0, said
    assert "Nothing to be done" in said
    assert tree.record.read_text() == made
