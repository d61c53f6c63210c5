"""What runs the jobs goes away while one trains: the controller, the node's daemon, and Snakemake itself.

One training lives through all three, one after the other.
"""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest

from .cluster import wait_for
from .study import REPORT, Run, bits, cell, small_project, wait_until_training

LABEL = "none-kr1"


@pytest.fixture(scope="module")
def story(undisturbed, cluster, tmp_path_factory):
    """What was seen while each of the three was away, and the project in the end."""
    project = small_project(tmp_path_factory.mktemp("services"), cluster, keep_rates=(1.0,), data_of=undisturbed)
    run, seen = Run(project, "--verbose"), SimpleNamespace(project=project)
    runs = [run]
    try:
        job = seen.job = wait_until_training(project, cluster, LABEL)
        point = project.root / "results" / "resume" / job["Comment"].rsplit("_", 1)[1] / "point.pt"

        def trains_on() -> bool:
            before = point.stat().st_mtime_ns
            wait_for("another resume point", lambda: point.stat().st_mtime_ns > before, 60)
            return True

        cluster.stop_daemon("slurmctld")
        seen.controller = {"answers": cluster.ask("squeue", check=False), "trains": trains_on()}
        wait_for("Snakemake to ask in vain", lambda: "SLURM query command failed" in run.text(), 90)
        cluster.start_slurmctld()
        seen.controller["job"] = state(cluster, job)

        cluster.stop_daemon("slurmd")
        seen.node = {"running": cluster.processes("slurmd -D"), "trains": trains_on()}
        cluster.start_slurmd()
        wait_for("the node to be back", lambda: cluster.node_state() in ("mixed", "allocated"), 60)
        seen.node["job"] = state(cluster, job)

        run.process.send_signal(signal.SIGKILL)
        seen.snakemake = {"code": run.process.wait(), "trains": trains_on(), "job": state(cluster, job)}
        runs.append(Run(project))
        seen.last = runs[-1].finish()
    finally:
        for run in runs:
            run.stop()
    seen.jobs = cluster.accounted("JobIDRaw,State,Comment,WorkDir,Start,End")
    seen.jobs = [job for job in seen.jobs if job["WorkDir"] == str(project.root) and "rule_finetune" in job["Comment"]]
    return seen


def state(cluster, job) -> str:
    (found,) = [each["JobState"] for each in cluster.jobs() if each["JobId"] == job["JobId"]]
    return found


def jobs_at(story, *numbers) -> list[str]:
    return [job["State"] for job in story.jobs if job["JobIDRaw"] in numbers]


def test_the_controller_is_stopped_and_started_and_the_job_trains_on(story):
    assert story.controller == {"answers": None, "trains": True, "job": "RUNNING"}
    assert jobs_at(story, story.job["JobId"]) == ["COMPLETED"]


def test_slurmd_is_stopped_and_started_and_the_job_trains_on(story):
    assert story.node == {"running": [], "trains": True, "job": "RUNNING"}
    assert jobs_at(story, story.job["JobId"]) == ["COMPLETED"]


def test_snakemake_is_killed_and_started_again_while_its_job_still_trains(story, undisturbed):
    assert story.snakemake == {"code": -signal.SIGKILL, "trains": True, "job": "RUNNING"}
    leftover, *successors = story.jobs
    assert leftover["JobIDRaw"] == story.job["JobId"]
    assert {job["State"] for job in story.jobs} == {"COMPLETED"}
    assert all(job["Start"] < leftover["End"] for job in successors[:1])  # they were there at the same time
    assert bits(story.project, LABEL) == bits(undisturbed, LABEL)
    assert not list(cell(story.project, LABEL).parent.glob(".*"))  # no scratch folder is left
    assert (story.project.root / REPORT).stat().st_size > 1000
