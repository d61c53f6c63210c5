"""A study on a real SLURM: from audio to the report, jobs with the GPUs they ask for, and records that say so."""

from __future__ import annotations

import csv
import itertools
import json
import re

from audioprune.cells.kinds import KINDS

from .cluster import ACCOUNT
from .study import FINETUNINGS, GPU_RULES, REPORT, cell, log_of


def jobs_of(cluster, project):
    """Accounted jobs of a project's runs, each with its Snakemake rule."""
    fields = "JobIDRaw,State,AllocTRES,Comment,WorkDir,Start,End,JobName"
    jobs = [job for job in cluster.accounted(fields) if job["WorkDir"] == str(project.root)]
    return [job | {"rule": re.match(r"(?:rule|group)_([a-z]+)", job["Comment"]).group(1)} for job in jobs]


def test_the_study_is_run_to_its_report(undisturbed, cluster):
    for name in ("report.html", "report.pdf", "table1.tex"):
        assert (undisturbed.root / REPORT).with_name(name).stat().st_size > 1000, name
    jobs = jobs_of(cluster, undisturbed)
    assert {job["State"] for job in jobs} == {"COMPLETED"}
    rules = [job["rule"] for job in jobs]
    assert rules.count("finetune") == len(FINETUNINGS)
    assert not {"table", "figure", "macs"} & set(rules)  # small jobs are put together
    cells = undisturbed.root / "results" / "cells"
    drawn = [one for kind in ("table", "figure") for one in (cells / kind).rglob("record.json")]
    assert rules.count("exhibits") == -(-len(drawn) // KINDS["table"].at_once)  # two dozen a job
    assert rules.count("report") == 1


def test_gpu_jobs_get_one_gpu_each_and_cpu_jobs_none(undisturbed, cluster):
    jobs = jobs_of(cluster, undisturbed)
    assert {"generate", "audio", "features", "finetune", "exhibits", "report"} <= {job["rule"] for job in jobs}
    for job in jobs:
        given = re.findall(r"gres/gpu=(\d+)", job["AllocTRES"])
        assert given == (["1"] if job["rule"] in GPU_RULES else []), job


def test_records_and_logs_name_job_node_and_gpu_and_no_gpu_is_shared(undisturbed, cluster):
    jobs = {job["JobIDRaw"]: job for job in jobs_of(cluster, undisturbed)}
    shown = set()
    for path in undisturbed.cells("**/record.json"):
        record = json.loads(path.read_text())
        made, job = record["made"]["slurm"], jobs[record["made"]["slurm"]["job"]]
        assert made["node"] == cluster.host
        assert job["rule"] in (record["kind"], "exhibits" if KINDS[record["kind"]].draws else "batch")
        if job["rule"] in GPU_RULES:
            assert made["gpus"] in ("0", "1")
            shown.add((made["gpus"], job["Start"], job["End"]))
        else:
            assert made["gpus"] == "none"
    for (gpu, _, end), (following, start, _) in itertools.pairwise(sorted(shown)):
        assert gpu != following or end <= start
    assert {gpu for gpu, *_ in shown} == {"0", "1"}
    for label in FINETUNINGS.values():
        made = json.loads((cell(undisturbed, label) / "record.json").read_text())["made"]["slurm"]
        line = f"SLURM job {made['job']}, node {cluster.host}, gpus {made['gpus']}, restarts 0"
        assert line in log_of(undisturbed, label)


def test_the_efficiency_report_lists_the_jobs(undisturbed, cluster):
    (path,) = undisturbed.root.glob("efficiency_report_*")
    files = [path] if path.is_file() else list(path.glob("*.csv"))
    with open(files[0], encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["JobID"].split(".")[0] for row in rows}) == len(jobs_of(cluster, undisturbed))


def test_the_database_refuses_an_account_it_does_not_know(cluster):
    assert ACCOUNT in cluster.ask("sacctmgr", "--noheader", "list", "account", "format=account")
    assert cluster.ask("sbatch", "--account=nobody", "--wrap=true", check=False) is None


def test_nothing_is_left_to_do(undisturbed):
    again = undisturbed.run("snakemake", "--profile", "slurm", REPORT)
    assert "Nothing to be done" in again.stdout + again.stderr
