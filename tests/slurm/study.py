"""The study that these tests run, a copy of the project with `demo` cut down, and Snakemake at work on it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import yaml

from tests.workflow.conftest import Project
from tests.workflow.test_end_to_end import edit_yaml

from .cluster import ACCOUNT, MODEL, PARTITION, Cluster

REPORT = "results/demo/report.html"
FINETUNINGS = {1.0: "none-kr1", 0.5: "topk-kr0.5"}
GPU_RULES = ("finetune", "evaluate", "batch")  # batch: several evaluations of one model
EPOCHS = 160  # some 50 s

# Asked more often than on a real cluster, where jobs last for hours.
POLLING = ("--slurm-init-seconds-before-status-checks", "2", "--max-status-checks-per-second", "1")

# A fine-tuning takes about 1.1 GB, as SLURM counts it: libraries once for each process, Snakemake's among them.
MEMORY, TOO_LITTLE = "2000 * attempt", "800 * attempt"


def small_project(
    root: Path,
    cluster: Cluster,
    *,
    keep_rates: Iterable[float] = tuple(FINETUNINGS),
    memory: str = MEMORY,
    data_of: Project | None = None,
) -> Project:
    """A project with one fine-tuning for each keep-rate, set up for the cluster as a user would: in slurm/config.yaml.

    The finished data cells of another project are taken over.
    """
    project = Project(root)

    def shrink(data: dict) -> None:
        data["generators"] |= {"words": {"clips": 120}}
        data["recipes"]["demo"]["audiomae"]["all"]["recipe"] |= {"epochs": EPOCHS, "eval_every": 0}
        grid = {"backbones": ["audiomae-tiny"], "datasets": ["demo-words"], "initial": "scratch"}
        rates = list(keep_rates)
        nothing_else = {
            "throughput": None,
            "traces": None,
            "contrasts": None,
            "evaluations": {"matrix": len(rates) > 1},
        }
        nothing_else |= {"recognitions": [], "pace": [], "robustness": [], "durations": []}
        study = {"grids": [{**grid, "keep_rates": rates}], **nothing_else}
        data["studies"]["demo"] |= study

    edit_yaml(project, shrink)
    path = root / "slurm" / "config.yaml"
    profile = yaml.safe_load(path.read_text())
    site = {"slurm_account": ACCOUNT, "slurm_partition": PARTITION}
    profile["default-resources"] |= site | {"mem_mb": "2000 * attempt", "runtime": "5 * attempt"}
    for rule in GPU_RULES:  # tiny models would ask for no GPU
        asked = memory if rule == "finetune" else MEMORY
        profile["set-resources"][rule] = {"gpu": 1, "gpu_model": MODEL, "mem_mb": asked, "runtime": "5 * attempt"}
    profile |= {"slurm-efficiency-report": True, "slurm-keep-successful-logs": True}
    path.write_text(yaml.safe_dump(profile, sort_keys=False))
    for kind in ("generate", "audio", "features") if data_of else ():
        shutil.copytree(data_of.root / "results" / "cells" / kind, root / "results" / "cells" / kind)
    path = f"{cluster.folder / 'bin'}:{project.environment['PATH']}"
    project.environment |= {**cluster.environment, "PATH": path, "AUDIOPRUNE_SAVE_EVERY_S": "1", "OMP_NUM_THREADS": "1"}
    return project


class Run:
    """`snakemake --profile slurm` at work in a project."""

    def __init__(self, project: Project, *options: str, target: str = REPORT):
        self.project, self.log = project, project.root / "snakemake.log"
        self.before = len(self.text())
        self.command = ["snakemake", "--profile", "slurm", target, *POLLING, *options]
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                self.command, cwd=project.root, env=project.environment, stdout=out, stderr=out, start_new_session=True
            )

    def text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def finish(self, seconds: float = 900) -> str:
        """Wait for its end; what it has said."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"not finished after {seconds} s:\n{self.text()[-8000:]}") from None
        assert code == 0, self.text()[-8000:]
        return self.text()[self.before :]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def cell(project: Project, label: str, kind: str = "finetune") -> Path:
    """The one finished cell of a fine-tuning, or of its evaluation with the pruning that it was trained with."""
    below = "*/*" if kind == "finetune" else f"*/eval-{label}/last/*"
    (path,) = project.cells(f"{kind}/audiomae-tiny/demo-words/{label}/{below}/record.json")
    return path.parent


def bits(project: Project, label: str) -> dict[str, bytes]:
    """What must come out the same: weights, the scores of every clip, and the metric among them."""
    files = [cell(project, label) / "last.safetensors", cell(project, label, "evaluate") / "predictions.parquet"]
    return {path.name: path.read_bytes() for path in files}


def log_of(project: Project, label: str) -> str:
    """The step's log; empty while Snakemake has removed the last attempt's and the next has not begun its own."""
    logs = (project.root / "results" / "logs").glob(f"finetune/audiomae-tiny/demo-words/{label}/*/*.log")
    return "".join(path.read_text() for path in logs)


def training_job(project: Project, cluster: Cluster, label: str) -> dict[str, str]:
    """SLURM's view of the job that trains, once it has written a resume point itself; else nothing."""
    for job in cluster.jobs():
        ours = job["WorkDir"] == str(project.root) and job["JobState"] == "RUNNING"
        if ours and job.get("Comment", "").startswith("rule_finetune") and label in job["Comment"]:
            point = point_of(project, job)
            started = time.mktime(time.strptime(job["StartTime"], "%Y-%m-%dT%H:%M:%S"))
            if point.exists() and point.stat().st_mtime > started + 1:
                return job
    return {}


def key_of(job: dict[str, str]) -> str:
    return job["Comment"].rsplit("_", 1)[1]


def point_of(project: Project, job: dict[str, str]) -> Path:
    return project.root / "results" / "resume" / key_of(job) / "point.pt"
