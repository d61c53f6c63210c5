"""Training jobs killed in four ways, in one run of four: each is tried again and ends with the same bits.

The job of keep-rate 1.0 is cancelled by `scancel`, that of 0.7 gets at its time limit, that of 0.5 asks for less memory
than it takes, and the process of that of 0.3 is killed by SIGKILL, as a kernel out of memory would.
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from .study import FINETUNINGS, REPORT, TOO_LITTLE, Run, bits, log_of, small_project, wait_until_training


def scancel(cluster, job):
    cluster.ask("scancel", job["JobId"])


def time_limit(cluster, job):
    """The job's limit is now: SLURM looks for jobs at their limit every 30 s."""
    cluster.ask("scontrol", "update", f"JobId={job['JobId']}", "EndTime=now")


def sigkill(cluster, job):
    key = job["Comment"].rsplit("_", 1)[1]
    (pid,) = cluster.processes("\0audioprune.steps.finetune\0", f'"key": "{key}"')
    os.kill(pid, signal.SIGKILL)


PROVOKED = {"none-kr1": scancel, "topk-kr0.7": time_limit, "topk-kr0.3": sigkill}


@pytest.fixture(scope="module")
def disturbed(undisturbed, cluster, tmp_path_factory):
    project = small_project(tmp_path_factory.mktemp("killed"), cluster, memory=TOO_LITTLE, data_of=undisturbed)
    run = Run(project)
    try:
        waiting, until = dict(PROVOKED), time.monotonic() + 600
        while waiting and run.process.poll() is None and time.monotonic() < until:
            for label in list(waiting):
                if job := training_job(project, cluster, label):
                    waiting.pop(label)(cluster, job)
            time.sleep(0.5)
        assert not waiting, f"never seen training: {list(waiting)}\n{run.text()[-6000:]}"
        run.finish()
    finally:
        run.stop()
    return project


def training_job(project, cluster, label):
    try:
        return wait_until_training(project, cluster, label, seconds=0)
    except TimeoutError:
        return None


def attempts(project, cluster, label):
    """States and asked memory in MB of the jobs that trained one model, in order."""
    jobs = [
        job for job in cluster.accounted("JobIDRaw,State,ReqMem,Comment,WorkDir") if job["WorkDir"] == str(project.root)
    ]
    jobs = [job for job in jobs if label in job["Comment"] and job["Comment"].startswith("rule_finetune")]
    return [(job["State"].split()[0], int(re.match(r"(\d+)M", job["ReqMem"]).group(1))) for job in jobs]


@pytest.mark.parametrize(
    ("label", "state"),
    [
        pytest.param("none-kr1", "CANCELLED", id="scancel"),
        pytest.param("topk-kr0.7", "TIMEOUT", id="time limit"),
        pytest.param("topk-kr0.3", "FAILED", id="SIGKILL"),
    ],
)
def test_a_killed_training_goes_on_from_its_resume_point(label, state, disturbed, undisturbed, cluster):
    assert [found for found, _ in attempts(disturbed, cluster, label)] == [state, "COMPLETED"]
    assert re.search(r"resuming from epoch \d+, step \d+", log_of(disturbed, label))
    assert bits(disturbed, label) == bits(undisturbed, label)


def test_a_job_out_of_memory_is_tried_again_with_more(disturbed, undisturbed, cluster):
    (first, less), *others, (last, more) = attempts(disturbed, cluster, "topk-kr0.5")
    assert {first, *(state for state, _ in others)} == {"OUT_OF_MEMORY"}
    assert last == "COMPLETED"
    assert more >= 4 * less
    assert bits(disturbed, "topk-kr0.5") == bits(undisturbed, "topk-kr0.5")


def test_the_report_is_finished_in_spite_of_all(disturbed):
    assert (disturbed.root / REPORT).stat().st_size > 1000


def test_the_failure_message_names_the_logs_and_they_say_why(disturbed):
    text = (disturbed.root / "snakemake.log").read_text()
    said = {}
    for block in re.findall(r"Error in rule finetune:\n((?: .*\n)+)", text):
        step, job = re.search(r"log: (\S+), (\S+) \(check log file", block).groups()
        label = step.split("/demo-words/")[1].split("/")[0]
        assert (disturbed.root / step).exists()
        said[label] = Path(job).read_text()
    assert set(said) == set(FINETUNINGS.values())
    assert "CANCELLED AT" in said["none-kr1"]
    assert "DUE TO TIME LIMIT" in said["topk-kr0.7"]
    assert "exceeded memory limit" in said["topk-kr0.5"]
    assert "Killed" in said["topk-kr0.3"]
