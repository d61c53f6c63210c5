"""Where a record came from: software versions, device, git state, wall time, peak memory."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import time
from functools import cache
from importlib import metadata

PACKAGES = (
    "torch",
    "torchaudio",
    "timm",
    "numpy",
    "pandas",
    "scikit-learn",
    "soundfile",
    "snakemake",
    "espeakng-loader",
)


def stamp(started: float) -> dict:
    """Provenance of a step that began at `started` (time.time()) and has just ended; memory in MiB."""
    return {
        "versions": versions(),
        "device": device(),
        "git": git_state(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "wall_s": round(time.time() - started, 3),
        "peak_memory_mib": round(_peak_memory_mib(), 1),
        **({"slurm": slurm()} if slurm() else {}),
    }


def slurm() -> dict[str, str]:
    """SLURM's job number, node, GPUs and how often the job was requeued; empty outside SLURM."""
    if "SLURM_JOB_ID" not in os.environ:
        return {}
    return {
        "job": os.environ["SLURM_JOB_ID"],
        "node": os.environ.get("SLURMD_NODENAME", platform.node()),
        "gpus": os.environ.get("SLURM_STEP_GPUS") or os.environ.get("SLURM_JOB_GPUS") or "none",
        "restarts": os.environ.get("SLURM_RESTART_COUNT", "0"),
    }


@cache
def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def cpu_name() -> str:
    """Model name of the processor and the number of logical cores, such as 'Intel Xeon @ 2.20GHz x 2'."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            found = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
        name = found[0] if found else name
    return f"{name} x {os.cpu_count()}"


def device() -> str:
    """The GPU when torch is loaded and sees one, else the processor."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return cpu_name()


@cache
def git_state() -> dict:
    """Commit of the working folder and whether it has uncommitted changes; empty outside a checkout."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {}


def code(git: dict) -> str:
    """A state of the code as `git_state` has it, in words."""
    if not git:
        return "not a git checkout"
    return git["commit"][:12] + (" with uncommitted changes" if git["dirty"] else "")


def _peak_memory_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def planning_device() -> str:
    """The device of this machine without importing torch: the first GPU that nvidia-smi names, else the processor."""
    try:
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        found = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
        return found[0].strip() if found else cpu_name()
    except (OSError, subprocess.CalledProcessError):
        return cpu_name()
