"""The study that these tests run, a copy of the project with `demo` cut down, and Snakemake at work on it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import yaml

from tests.workflow.conftest import Project
from tests.workflow.test_end_to_end import edit_yaml

from .cluster import ACCOUNT, PARTITION, Cluster, wait_for

REPORT = "results/demo/report.html"
FINETUNINGS = {1.0: "none-kr1", 0.7: "topk-kr0.7", 0.5: "topk-kr0.5", 0.3: "topk-kr0.3"}
EPOCHS = 60

# Asked more often than on a real cluster, where jobs last for hours.
POLLING = ("--slurm-init-seconds-before-status-checks", "2", "--max-status-checks-per-second", "1")
LOGS = ("--slurm-keep-successful-logs",)

# A fine-tuning takes about 1.1 GB, as SLURM counts it: libraries once for each process, Snakemake's among them.
MEMORY = "2500"
TOO_LITTLE = "(600 if 'kr0.5' in wildcards.address else 2500) * attempt ** 2"


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
        data["generators"] |= {"words": {"clips": 60}}
        data["recipes"]["demo"]["audiomae"]["all"]["recipe"] |= {"epochs": EPOCHS, "eval_every": 0}
        grid = {"backbones": ["audiomae-tiny"], "datasets": ["demo-words"], "initial": "scratch"}
        study = {"grids": [{**grid, "keep_rates": list(keep_rates)}], "throughput": None, "traces": None}
        data["studies"]["demo"] |= study

    edit_yaml(project, shrink)
    for old, new in {
        "# slurm_account: my_account": f"slurm_account: {ACCOUNT}",
        "# slurm_partition: gpu": f"slurm_partition: {PARTITION}",
        '"8000 * attempt"': '"2000 * attempt"',
        '"16000 * attempt"': f'"{memory}"\n    gpu: 1',  # tiny models would ask for none
        "set-resources:": "set-resources:\n  evaluate:\n    gpu: 1",
        '"120 * attempt"': '"5 * attempt"',
        '    runtime: "720 * attempt"\n  finetune': '    runtime: "5 * attempt"\n  finetune',
        '    runtime: "720 * attempt"\nretries': '    runtime: "5 * attempt"\nretries',
        "# slurm-efficiency-report": "slurm-efficiency-report",
    }.items():
        project.edit("slurm/config.yaml", old, new)
    assert yaml.safe_load((root / "slurm" / "config.yaml").read_text())["retries"] == 2
    for kind in ("generate", "audio", "features") if data_of else ():
        (root / "results" / "cells").mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["cp", "-a", str(data_of.root / "results" / "cells" / kind), str(root / "results/cells")], check=True
        )
    path = f"{cluster.environment['PATH'].split(':')[0]}:{project.environment['PATH']}"
    project.environment |= {**cluster.environment, "PATH": path, "AUDIOPRUNE_SAVE_EVERY_S": "1", "OMP_NUM_THREADS": "1"}
    return project


class Run:
    """`snakemake --profile slurm` at work in a project."""

    def __init__(self, project: Project, *options: str, target: str = REPORT):
        self.project, self.log = project, project.root / "snakemake.log"
        self.before = len(self.text())
        self.command = ["snakemake", "--profile", "slurm", target, *POLLING, *LOGS, *options]
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
    """The one finished cell of a fine-tuning, or of its evaluation."""
    below = "*/*" if kind == "finetune" else "*/*/*/*"
    (path,) = project.cells(f"{kind}/audiomae-tiny/demo-words/{label}/{below}/record.json")
    return path.parent


def bits(project: Project, label: str) -> dict[str, bytes]:
    """What must come out the same: weights, the scores of every clip, and the metric among them."""
    files = [cell(project, label) / "last.safetensors", cell(project, label, "evaluate") / "predictions.parquet"]
    return {path.name: path.read_bytes() for path in files}


def log_of(project: Project, label: str) -> str:
    (path,) = (project.root / "results" / "logs").glob(f"finetune/audiomae-tiny/demo-words/{label}/*/*.log")
    return path.read_text()


def wait_until_training(project: Project, cluster: Cluster, label: str, seconds: float = 400) -> dict[str, str]:
    """SLURM's view of the job that trains, as soon as it has written a resume point."""
    found: list[dict[str, str]] = []

    def training() -> bool:
        found[:] = [job for job in cluster.jobs() if job["JobState"] == "RUNNING" and label in job.get("Comment", "")]
        found[:] = [job for job in found if "rule_finetune" in job["Comment"] and job["WorkDir"] == str(project.root)]
        if not found:
            return False
        key = found[0]["Comment"].rsplit("_", 1)[1]
        return (project.root / "results" / "resume" / key / "point.pt").exists()

    wait_for(f"{label} to be training", training, seconds)
    return found[0]
