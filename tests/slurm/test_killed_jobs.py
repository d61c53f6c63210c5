"""Training jobs killed in four ways, in one run of two: each is tried again and ends with the same bits.

Both ask for less memory than they take at first. Then that of keep-rate 1.0 is cancelled by `scancel`, and its process
killed by SIGKILL when it trains again; that of 0.5 gets at its time limit.
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from .study import REPORT, TOO_LITTLE, Run, bits, key_of, log_of, small_project, training_job


def scancel(cluster, job):
    cluster.ask("scancel", job["JobId"])


def time_limit(cluster, job):
    """The job's limit is now. SLURM looks for jobs at their limit twice a minute: until then the training is held."""
    os.kill(process_of(cluster, job), signal.SIGSTOP)
    cluster.ask("scontrol", "update", f"JobId={job['JobId']}", "EndTime=now")


def sigkill(cluster, job):
    os.kill(process_of(cluster, job), signal.SIGKILL)


def process_of(cluster, job) -> int:
    (pid,) = cluster.processes("\0audioprune.steps.finetune\0", f"results/logs/jobs/{key_of(job)}-")
    return pid


PROVOKED = {"none-kr1": [scancel, sigkill], "topk-kr0.5": [time_limit]}
MEMORY, CANCELLED, LIMIT = "exceeded memory limit", "CANCELLED AT", "DUE TO TIME LIMIT"
KILLED = "SIGKILL"
LITTLE = 800  # MB, of a first attempt: those of TOO_LITTLE
SAID = {"none-kr1": [MEMORY, CANCELLED, KILLED], "topk-kr0.5": [MEMORY, LIMIT]}  # by SLURM's logs, attempt by attempt


@pytest.fixture(scope="module")
def disturbed(undisturbed, cluster, tmp_path_factory):
    """The project, after a run in which each fault struck a training that had begun."""
    project = small_project(tmp_path_factory.mktemp("killed"), cluster, memory=TOO_LITTLE, data_of=undisturbed)
    run = Run(project, "--retries", "3")
    try:
        waiting, struck, until = (
            {label: list(faults) for label, faults in PROVOKED.items()},
            set(),
            time.monotonic() + 900,
        )
        while any(waiting.values()) and run.process.poll() is None and time.monotonic() < until:
            for label in PROVOKED:
                job = training_job(project, cluster, label) if waiting[label] else {}
                if job and job["JobId"] not in struck and job["MinMemoryNode"] != f"{LITTLE}M":  # left to memory
                    struck.add(job["JobId"])
                    waiting[label].pop(0)(cluster, job)
            time.sleep(0.5)
        assert not any(waiting.values()), f"never seen training: {waiting}\n{run.text()[-6000:]}"
        run.finish()
    finally:
        run.stop()
    return project


@pytest.fixture(scope="module")
def attempts(disturbed, cluster):
    """{label: (state, MB asked for, SLURM's log, whether the step's log has begun) of each job}."""
    found = {label: [] for label in PROVOKED}
    for job in cluster.accounted("JobIDRaw,State,ReqMem,Comment,WorkDir"):
        for label in PROVOKED:
            if job["WorkDir"] == str(disturbed.root) and re.match(f"rule_finetune.*{label}", job["Comment"]):
                (log,) = (disturbed.root / ".snakemake" / "slurm_logs").glob(f"rule_finetune/*/{job['JobIDRaw']}.log")
                found[label].append((job["State"].split()[0], int(job["ReqMem"].removesuffix("M")), log.read_text()))
    return found


def test_a_job_out_of_memory_is_tried_again_with_more(attempts):
    for label in PROVOKED:
        (state, less, said), (_, more, then), *_ = attempts[label]
        assert state in ("FAILED", "OUT_OF_MEMORY")
        assert MEMORY in said
        assert (less, more) == (LITTLE, 2 * LITTLE)
        assert MEMORY not in then


def test_a_training_cancelled_by_scancel_goes_on_from_its_resume_point(attempts):
    (state, _, said), (_, _, then) = attempts["none-kr1"][1:3]
    assert state == "CANCELLED"
    assert CANCELLED in said
    assert re.search(r"resuming from epoch \d+, step \d+", then)


def test_a_training_at_its_time_limit_goes_on_from_its_resume_point(attempts):
    (state, _, said), (last, _, then) = attempts["topk-kr0.5"][1:]
    assert (state, last) == ("TIMEOUT", "COMPLETED")
    assert LIMIT in said
    assert re.search(r"resuming from epoch \d+, step \d+", then)


def test_a_training_killed_by_sigkill_goes_on_from_its_resume_point(attempts):
    (state, _, said), (last, _, then) = attempts["none-kr1"][2:]
    assert (state, last) == ("FAILED", "COMPLETED")
    assert KILLED in said
    assert re.search(r"resuming from epoch \d+, step \d+", then)


@pytest.mark.parametrize("label", PROVOKED)
def test_weights_and_scores_are_those_of_the_undisturbed_run(label, disturbed, undisturbed):
    assert bits(disturbed, label) == bits(undisturbed, label)
    assert "resuming from epoch" not in log_of(undisturbed, label)


def test_the_report_is_finished_in_spite_of_all(disturbed):
    assert (disturbed.root / REPORT).stat().st_size > 1000


def test_each_failure_message_names_the_logs_and_they_say_why(disturbed):
    text, found = (disturbed.root / "snakemake.log").read_text(), {label: [] for label in SAID}
    for step, job in re.findall(r"log: (\S+), (\S+/rule_finetune/\S+) \(check log file", text):
        assert (disturbed.root / step).exists()
        found[step.split("/demo-words/")[1].split("/")[0]].append(Path(job).read_text())
    for label, wanted in SAID.items():
        assert len(found[label]) == len(wanted)
        assert all(words in said for words, said in zip(wanted, found[label], strict=True))
