"""Results that may not be written, or are not there: looking works, and a run stops with one message."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.workflow.conftest import Project

TABLE = "results/demo/table1.tex"


@pytest.fixture
def read_only(tmp_path, disk) -> Project:
    """A project with all of `demo` finished but for a table that is gone, on a disk mounted for reading only."""
    project = Project(tmp_path)
    disk(tmp_path / "results", "64m")
    project.pretend("demo")
    for path in (*project.cells("table/demo/table1/*/record.json"), *(tmp_path / "results/demo").glob("table1.*")):
        path.unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "results")], check=True)
    return project


def test_looking_works_where_nothing_can_be_written(read_only):
    assert [job["cell"] for job in json.loads(read_only.run("audioprune", "plan", TABLE, "--json").stdout)["jobs"]]
    status = json.loads(read_only.run("audioprune", "status", "demo", "--json").stdout)["cells"]
    assert [cell["cell"].split("/")[2] for cell in status if cell["state"] == "missing"] == ["table1"]
    doctor = read_only.run("audioprune", "doctor", "demo")
    assert "results cannot be written: Read-only file system" in doctor.stdout
    assert doctor.returncode == 1
    planned = read_only.planned(TABLE)
    assert [cell.split("/")[4] for cell in planned["table"]] == ["table1"]
    for command in (("audioprune", "gc"), ("audioprune", "why", TABLE)):
        found = read_only.run(*command)
        assert found.returncode == 0, found.stderr
        assert "Traceback" not in found.stderr


def test_a_run_is_one_message(read_only):
    for command in (("snakemake", "--cores", "1", TABLE), ("audioprune", "gc", "--remove")):
        found = read_only.run(*command)
        assert found.returncode != 0
        said = found.stdout + found.stderr
        assert "results/logs/main.lock cannot be written: Read-only file system" in said
        assert "Traceback" not in said
        assert 'locks/main.py", line' not in said


def test_results_that_link_to_a_disk_that_is_not_mounted(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "results").symlink_to(tmp_path / "disk" / "results")
    why = f"a link to {tmp_path}/disk/results, which is not there: mount that disk"
    for command in (
        ("audioprune", "plan", TABLE),
        ("audioprune", "status", "demo"),
        ("audioprune", "doctor", "demo"),
        ("audioprune", "gc", "--remove"),
        ("snakemake", "-n", TABLE),
        ("snakemake", "--cores", "1", TABLE),
    ):
        found = project.run(*command)
        assert found.returncode != 0
        assert why in found.stdout + found.stderr
        assert "Traceback" not in found.stdout + found.stderr
        assert "src/audioprune" not in found.stdout + found.stderr
