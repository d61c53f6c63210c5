"""`audioprune doctor STUDY`: before hours are spent: what is there, what is missing, and what brings each."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from audioprune.cells.cell import DEFAULT_STUDY, Cell
from audioprune.cells.state import States
from audioprune.cli._output import print_json
from audioprune.planning import brought
from audioprune.planning.cost import estimate, stored_mib
from audioprune.planning.plan import Plan
from audioprune.sources import catalogue, manifest, mirror, stored


@dataclass(frozen=True)
class Finding:
    what: str
    ok: bool
    text: str
    mend: str = ""
    needed: bool = True  # the study cannot be finished without it


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("doctor", help="is everything there that a study needs?", description=__doc__)
    parser.add_argument("study", nargs="?", default=DEFAULT_STUDY)
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 when something needed is missing."""
    plan = Plan()
    found = list(examine(plan, arguments.study, plan.config.mirror))
    if arguments.json:
        print_json({"study": arguments.study, "findings": [asdict(finding) for finding in found]})
    else:
        for finding in found:
            mark = "ok     " if finding.ok else "MISSING" if finding.needed else "absent "
            print(f"{mark}  {finding.what}: {finding.text}")
            if finding.mend and not finding.ok:
                print("\n".join(f"           {line}" for line in finding.mend.strip().splitlines()))
    return 1 if any(not finding.ok and finding.needed for finding in found) else 0


def examine(plan: Plan, study: str, mirror_folder: str | None) -> Iterator[Finding]:
    cells, states = list(plan.study(study).all.values()), States()
    for cell in (c for c in cells if c.kind == "fetch"):
        yield _source(plan, states, cell, mirror_folder)
    for name in sorted({c.settings.dataset for c in cells if c.kind == "audio" and c.settings.user}):
        yield _brought(plan, name, f"audioprune index {name}")
    todo = [cell for cell in cells if not states.of(cell).fresh]
    yield _disk(plan, todo)
    hours = [estimate(cell, plan.planner.facts, 100) for cell in todo]
    gpu_hours = sum(found.get("gpu_hours", 0) for found in hours)
    if gpu_hours:
        yield _gpu(gpu_hours)
    yield _package("espeakng_loader", "speech for generated audio", needed=any(c.kind == "generate" for c in cells))
    for name, what in (
        ("sbatch", "SLURM, for --profile slurm"),
        ("pdflatex", "TeX, to typeset results/*.tex yourself"),
    ):
        path = shutil.which(name)
        yield Finding(name, bool(path), path or f"not found; only needed for: {what}", needed=False)


def _source(plan: Plan, states: States, cell: Cell, mirror_folder: str | None) -> Finding:
    name = cell.settings.source
    source = catalogue.load()[name]
    if states.of(cell).fresh:
        return Finding(name, True, f"fetched, {cell.dir}")
    if source.pretraining:
        weights = stored.weights_of(name)
        return Finding(name, weights.is_file(), f"in the repository: {weights.name}", "restore it from the repository")
    if source.manual:
        then = f"then set {brought.option_of(name)} in config.yaml and run: audioprune index {name}"
        return _brought(plan, name, f"{source.manual.strip()}\n{then}")
    here = [mirror.find(archive.file, mirror_folder) for archive in source.archives]
    if all(here):
        return Finding(name, True, f"in the mirror folder: {', '.join(path.name for path in here if path)}")
    urls = ", ".join(archive.url for archive in source.archives)
    return Finding(name, True, f"will be downloaded, about {source.mib} MiB: {urls}")


def _brought(plan: Plan, name: str, mend: str) -> Finding:
    try:
        found = brought.current(name, brought.place_of(plan.config, name))
    except brought.NotIndexed as error:
        return Finding(name, False, str(error), mend)
    if manifest.away(found.root):
        return Finding(name, False, f"{found.root} is not here: it does not exist any more, or holds nothing", mend)
    return Finding(name, True, f"{len(found.files)} files, {found.size / 2**20:.0f} MiB in {found.root}")


def _disk(plan: Plan, todo: list[Cell]) -> Finding:
    needed = sum(stored_mib(cell, plan.planner.facts) for cell in todo) / 1024
    free = shutil.disk_usage(Path(".")).free / 2**30
    text = f"{free:.1f} GiB free, about {needed:.1f} GiB needed in results/"
    return Finding("disk", free > needed, text, "free some room, or make results/ a link to a larger disk")


def _gpu(hours: float) -> Finding:
    try:
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        found = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        found = []
    if found:
        return Finding("GPU", True, f"{'; '.join(found)}; about {hours:.1f} GPU hours at 100 TFLOP/s")
    cluster = bool(shutil.which("sbatch")) or "SLURM_JOB_ID" in os.environ
    text = f"none on this machine; about {hours:.1f} GPU hours at 100 TFLOP/s"
    return Finding("GPU", cluster, text, "submit to a cluster: snakemake --profile slurm all")


def _package(module: str, what: str, *, needed: bool) -> Finding:
    here = importlib.util.find_spec(module) is not None
    return Finding(module, here, what if here else f"not installed: {what}", "make setup", needed=needed)
