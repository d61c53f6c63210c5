"""`audioprune doctor STUDY`: check before a long run what the study needs, what is missing, and how to get it.

Of your own data the whole CSV is read and a sample of the audio decoded (--all: all of it); of a checkpoint the names
and shapes of the tensors are read. Exit code 1 if something needed is missing or wrong, 3 if there are only warnings.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict

from audioprune.cells.cell import DEFAULT_STUDY, Cell
from audioprune.cells.state import States
from audioprune.cli import _look
from audioprune.cli._look import Finding, Level
from audioprune.cli._output import print_json
from audioprune.errors import UserError
from audioprune.planning import brought, user_csv
from audioprune.planning.cost import estimate, stored_mib
from audioprune.planning.plan import Plan
from audioprune.sources import catalogue, manifest, mirror, stored


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("doctor", help="check that everything a study needs is there", description=__doc__)
    parser.add_argument("study", nargs="?", default=DEFAULT_STUDY)
    parser.add_argument("--all", action="store_true", help="decode all files of your own data, not a sample")
    parser.add_argument(
        "--profile", choices=("slurm", "local"), help="also check the commands that jobs of this profile need"
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    found = list(examine(Plan(), arguments.study, everything=arguments.all, profile=arguments.profile))
    if arguments.json:
        print_json({"study": arguments.study, "findings": [asdict(finding) for finding in found]})
    else:
        print("\n".join(finding.lines for finding in found))
    return _look.exit_code(found)


def examine(plan: Plan, study: str, *, everything: bool = False, profile: str | None = None) -> Iterator[Finding]:
    """All findings of a study: its data, then this machine."""
    cells = list(plan.study(study).all.values())
    try:
        states = States()
    except UserError:  # which is among what is said of the results
        states = None
    todo = [cell for cell in cells if states is None or not states.of(cell).fresh]
    for cell in (c for c in cells if c.kind == "fetch"):
        yield _source(plan, cell, fetched=cell not in todo)
    for name in sorted({c.settings.dataset for c in cells if c.kind == "audio" and c.settings.user}):
        yield from _own(plan, name, everything=everything)
    yield from _look.results()
    yield _disk(plan, todo)
    hours = sum(estimate(cell, plan.planner.facts, 100).get("gpu_hours", 0) for cell in todo)
    if hours:
        yield _gpu(hours)
    yield _package("espeakng_loader", "speech for generated audio", needed=any(c.kind == "generate" for c in cells))
    yield _look.slurm(needed=profile == "slurm")
    tex = shutil.which("pdflatex")
    yield Finding("pdflatex", "ok" if tex else "absent", tex or "needed only to typeset results/*.tex yourself")


def _source(plan: Plan, cell: Cell, *, fetched: bool) -> Finding:
    name = cell.settings.source
    source = catalogue.load()[name]
    if fetched:
        return Finding(name, "ok", f"fetched, {cell.dir}")
    if source.pretraining:
        weights = stored.weights_of(name)
        level: Level = "ok" if weights.is_file() else "error"
        return Finding(name, level, f"in the repository: {weights.name}", "restore it from the repository")
    if source.manual:
        return _brought(plan, name, source.manual)
    here = [mirror.find(archive.file, plan.config.mirror) for archive in source.archives]
    if all(here):
        return Finding(name, "ok", f"in the mirror folder: {', '.join(path.name for path in here if path)}")
    urls = ", ".join(archive.url for archive in source.archives)
    return Finding(name, "ok", f"will be downloaded, about {source.mib} MiB: {urls}")


def _own(plan: Plan, name: str, *, everything: bool) -> Iterator[Finding]:
    """Own data: as planning finds it, every mistake of its table, and what of its audio cannot be used."""
    user, known = plan.config.datasets[name], _brought(plan, name, "")
    try:
        table = user_csv.read(user)
    except UserError as error:
        head, *rest = str(error).splitlines()
        text = head if known.level == "ok" else known.text
        lines = [] if not user_csv.folder(user).is_dir() else rest if head in text else [head, *rest]
        yield Finding(name, "error", text, "\n".join(line.strip() for line in lines))
        clips = error.clips if isinstance(error, user_csv.Mistakes) else []
    else:
        clips = table.clips
        yield known
        yield from (Finding(f"{name}, table", "warning", warning) for warning in table.warnings)
    if clips:
        set_aside = plan.config.bad_clips == "set_aside"
        yield from _look.audio(name, user_csv.folder(user), clips, everything=everything, set_aside=set_aside)


def _brought(plan: Plan, name: str, manual: str) -> Finding:
    """What planning says about data that the user provides, and how to provide it if it is missing."""
    try:
        found = brought.current(name, brought.place_of(plan.config, name))
    except brought.NotIndexed as error:
        command = f": audioprune index {name}"
        if manual and not manifest.path_of(name).is_file():  # the text ends with the command
            return Finding(name, "error", str(error).removesuffix(command), manual)
        return Finding(name, "error", str(error))
    if manifest.away(found.root):
        gone = f"{found.root} does not exist any more, or is empty"
        return Finding(name, "error", gone, f"restore it, or name its place in config.yaml: audioprune index {name}")
    return Finding(name, "ok", f"{len(found.files)} files, {found.size / 2**20:.0f} MiB in {found.root}")


def _disk(plan: Plan, todo: list[Cell]) -> Finding:
    needed = sum(stored_mib(cell, plan.planner.facts) for cell in todo) / 1024
    free = shutil.disk_usage(_look.disk_folder()).free / 2**30
    text = f"{free:.1f} GiB free, about {needed:.1f} GiB needed in results/"
    mend = "free some room, or make results/ a link to a larger disk"
    return Finding("disk", "ok" if free > needed else "error", text, mend)


def _gpu(hours: float) -> Finding:
    try:
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        found = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        found = []
    if found:
        return Finding("GPU", "ok", f"{'; '.join(found)}; about {hours:.1f} GPU hours at 100 TFLOP/s")
    cluster = bool(shutil.which("sbatch")) or "SLURM_JOB_ID" in os.environ
    text = f"none on this machine; about {hours:.1f} GPU hours at 100 TFLOP/s"
    return Finding("GPU", "ok" if cluster else "error", text, "submit to a cluster: snakemake --profile slurm all")


def _package(module: str, what: str, *, needed: bool) -> Finding:
    here = importlib.util.find_spec(module) is not None
    level: _look.Level = "ok" if here else "error" if needed else "absent"
    return Finding(module, level, what if here else f"not installed: {what}", "make setup")
