"""What runs the jobs goes away while one trains: Snakemake itself, the controller, and the node's daemon.

One training lives through all three, one after the other.
"""

from __future__ import annotations

import re
import signal
from types import SimpleNamespace

import pytest

from .cluster import wait_for
from .study import REPORT, Run, bits, cell, log_of, point_of, small_project, training_job

LABEL = "none-kr1"


@pytest.fixture(scope="module")
def story(undisturbed, cluster, tmp_path_factory):
    """What was seen while each of the three was away, and the project in the end."""
    project = small_project(tmp_path_factory.mktemp("services"), cluster, keep_rates=(1.0,), data_of=undisturbed)
    runs, seen = [Run(project)], SimpleNamespace(project=project, host=cluster.host)
    try:
        wait_for("the job to train", lambda: training_job(project, cluster, LABEL), 600)
        job = seen.job = training_job(project, cluster, LABEL)
        point = point_of(project, job)

        def trains_on() -> bool:
            before = point.stat().st_mtime_ns
            wait_for("another resume point", lambda: point.stat().st_mtime_ns > before, 120)
            return True

        runs[0].process.send_signal(signal.SIGKILL)
        seen.snakemake = {"code": runs[0].process.wait(), "trains": trains_on(), "job": state(cluster, job)}
        runs.append(Run(project, "--verbose"))
        wait_for("a second job", lambda: successors(cluster, project, job), 120)
        wait_for("the second job to wait", lambda: "; waiting for it" in log_of(project, LABEL), 120)
        seen.snakemake["beside"] = state(cluster, job)

        cluster.stop_daemon("slurmctld")
        cluster.stop_daemon("slurmdbd")  # else Snakemake asks the database in the controller's stead
        seen.controller = {"answers": cluster.ask("squeue", check=False), "trains": trains_on()}
        wait_for("Snakemake to ask in vain", lambda: "SLURM query command failed" in runs[1].text(), 200)
        cluster.start_slurmdbd()
        cluster.start_slurmctld()
        seen.controller["job"] = state(cluster, job)

        cluster.stop_daemon("slurmd")
        seen.node = {"running": cluster.processes("slurmd\0-D"), "trains": trains_on()}
        cluster.start_slurmd()
        wait_for("the node to be back", lambda: cluster.node_state() in ("mixed", "allocated"), 60)
        seen.node["job"] = state(cluster, job)
        runs[1].finish()
    finally:
        for run in runs:
            run.stop()
    jobs = cluster.accounted("JobIDRaw,State,Comment,WorkDir,Start,End")
    seen.jobs = [j for j in jobs if j["WorkDir"] == str(project.root) and j["Comment"].startswith("rule_finetune")]
    return seen


def successors(cluster, project, job) -> list[dict[str, str]]:
    """Running jobs of the same training."""
    jobs = [j for j in cluster.jobs() if j["WorkDir"] == str(project.root) and j["JobState"] == "RUNNING"]
    return [j for j in jobs if j.get("Comment") == job["Comment"] and j["JobId"] != job["JobId"]]


def state(cluster, job) -> str:
    (found,) = [each["JobState"] for each in cluster.jobs() if each["JobId"] == job["JobId"]]
    return found


def test_snakemake_is_killed_and_started_again_while_its_job_still_trains(story, undisturbed):
    wanted = {"code": -signal.SIGKILL, "trains": True, "job": "RUNNING", "beside": "RUNNING"}
    assert story.snakemake == wanted
    assert story.jobs[0]["JobIDRaw"] == story.job["JobId"]
    assert [job["State"] for job in story.jobs] == ["COMPLETED", "COMPLETED"]
    assert story.jobs[1]["Start"] < story.jobs[0]["End"]  # they were there at the same time
    said = log_of(story.project, LABEL)
    holder = rf"process \d+ on {re.escape(story.host)}, SLURM job {story.job['JobId']}, since .*"
    assert re.search(rf"is being made by {holder}; waiting for it", said), said
    assert "was finished by another process after this job was planned; it is not made again" in said
    assert bits(story.project, LABEL) == bits(undisturbed, LABEL)
    assert not list(cell(story.project, LABEL).parent.glob(".*"))  # no scratch folder is left
    assert (story.project.root / REPORT).stat().st_size > 1000


def test_the_controller_is_stopped_and_started_and_the_job_trains_on(story):
    assert story.controller == {"answers": None, "trains": True, "job": "RUNNING"}
    assert story.jobs[0]["State"] == "COMPLETED"


def test_slurmd_is_stopped_and_started_and_the_job_trains_on(story):
    assert story.node == {"running": [], "trains": True, "job": "RUNNING"}
    assert story.jobs[0]["State"] == "COMPLETED"
